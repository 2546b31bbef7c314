"""The SBOM of the native file, in CycloneDX: what is linked into it or frozen in it."""

import json
import uuid
from typing import Any, NamedTuple

from lambda_adapter import __version__

FROZEN = {"msgspec", "outcome", "sniffio", "sortedcontainers", "trio"}
"""Packages of which something is in the file."""

LICENSES = {
    "msgspec": "BSD-3-Clause",
    "outcome": "MIT OR Apache-2.0",
    "sniffio": "MIT OR Apache-2.0",
    "sortedcontainers": "Apache-2.0",
    "trio": "MIT OR Apache-2.0",
    "cpython": "Python-2.0",
    "glibc": "LGPL-2.1-or-later",
    "zlib": "Zlib",
    "lambda-adapter": "Apache-2.0",
}
SOURCES = {"libpython3.11-dev": "cpython", "zlib1g-dev": "zlib", "libc6-dev": "glibc"}
"""Debian's packages of static libraries, and what these are."""


class Package(NamedTuple):
    """A package and its version."""

    name: str
    version: str


def describe_native(
    name: str, packages: list[Package], debian: dict[str, str]
) -> dict[str, Any]:
    """Return the SBOM, which depends on its contents alone: it has no time."""
    components = [
        component(each.name, each.version, f"pkg:pypi/{each.name}@{each.version}")
        for each in packages
        if each.name in FROZEN
    ] + [
        component(SOURCES[each], version, f"pkg:deb/debian/{each}@{version}")
        for each, version in sorted(debian.items())
        if each in SOURCES
    ]
    sbom: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                **component("lambda-adapter", __version__, name),
                "type": "application",
            }
        },
        "components": components,
    }
    sbom["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(sbom)).urn
    return sbom


def component(name: str, version: str, ref: str) -> dict[str, Any]:
    """Return one component."""
    return {
        "type": "library",
        "bom-ref": ref,
        "name": name,
        "version": version,
        "licenses": [{"expression": LICENSES[name]}],
        **({"purl": ref} if ref.startswith("pkg:") else {}),
    }

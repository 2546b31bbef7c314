"""What is linked into the native file or frozen in it: an SBOM, and the licences.

The SBOM is in CycloneDX. The texts of the licences are those of the packages: the
wheels' own, and Debian's `copyright` of each library. Both depend on the contents
alone: they have no time.
"""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lambda_adapter import __version__

FROZEN = {"attrs", "msgspec", "outcome", "sniffio", "trio"}
"""Packages of which something is in the file: of attrs, methods that it has written."""

LICENSES = {
    "attrs": "MIT",
    "msgspec": "BSD-3-Clause",
    "outcome": "MIT OR Apache-2.0",
    "sniffio": "MIT OR Apache-2.0",
    "trio": "MIT OR Apache-2.0",
    "cpython": "Python-2.0",
    "gcc": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later",
    "zlib": "Zlib",
    "lambda-adapter": "Apache-2.0",
}
SOURCES = {
    "libc6-dev": "glibc",
    "libgcc-12-dev": "gcc",
    "libgcc-12-dev-amd64-cross": "gcc",
    "libgcc-12-dev-arm64-cross": "gcc",
    "libpython3.11-dev": "cpython",
    "zlib1g-dev": "zlib",
}
"""Debian's packages of static libraries, and what these are."""

COMMON = {
    "glibc": Path("/usr/share/common-licenses/LGPL-2.1"),
    "gcc": Path("/usr/share/common-licenses/GPL-3"),
}
"""Texts to which Debian's copyright only refers."""

HEADING = """\
The licences of {name}, one file that is linked of what follows.

It can be linked again with another version of each library, as the LGPL asks for glibc:
packaging/build_native.py in the adapter's sources does that.
"""


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


def license_expression(names: set[str]) -> str:
    """Return the SPDX expression of software that contains these components."""
    expressions = {LICENSES[name] for name in names}
    return " AND ".join(
        f"({each})" if " OR " in each else each for each in sorted(expressions)
    )


def license_texts(
    file: str,
    packages: list[Package],
    site_packages: Path,
    copyrights: dict[str, tuple[str, Path]],
    own: Path,
) -> str:
    """Return the texts of the licences of all that is in the file.

    ``copyrights`` has the version and the copyright file of each Debian package, and
    ``own`` is the adapter's licence.

    Raises:
        SystemExit: A package in the file has no text.
    """
    parts = [HEADING.format(name=file), titled("lambda-adapter", __version__, [own])]
    for package in packages:
        if package.name in FROZEN:
            info = site_packages / f"{package.name}-{package.version}.dist-info"
            parts.append(titled(*package, [*find_licenses(info)]))
    for debian, (version, path) in sorted(copyrights.items()):
        name = SOURCES[debian]
        files = [path, *filter(None, [COMMON.get(name)])]
        parts.append(titled(name, f"{version}, Debian's {debian}", files))
    return "\n".join(parts)


def find_licenses(info: Path) -> Iterator[Path]:
    """Yield the licence files of an unpacked wheel, in order."""
    for path in sorted(info.rglob("*")):
        if path.is_file() and path.name.upper().startswith(("LICENSE", "COPYING")):
            yield path


def titled(name: str, version: str, files: list[Path]) -> str:
    """Return the text of a component's licence files under a title.

    Raises:
        SystemExit: There is none.
    """
    if not files:
        raise SystemExit(f"{name} {version} has no licence text")
    title = f"{name} {version} ({LICENSES[name]})"
    texts = [each.read_text("utf-8").strip("\n") for each in files]
    return "\n\n".join([f"{'=' * 88}\n{title}\n{'=' * 88}", *texts, ""])

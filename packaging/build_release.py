"""Gather what a release publishes in one directory, each file built once.

These are the sdist, the wheel that is built from it, the zipapp, the native files and
the layers that `make` has built, SBOMs in CycloneDX of what is in the zipapp and in the
native files, the licences of what these are linked of, the digests of all these, and
the release's notes. It needs no network. The same commit gives the same files, but for
the Python layer, which depends on the Pythons of this machine, and the native files,
which depend on Debian's packages.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
import uuid
import zipfile
from pathlib import Path
from typing import Any

from lambda_adapter import __version__

PROJECT = Path(__file__).parent.parent
UV = (sys.executable, "-m", "uv", "--quiet", "--offline")
NAME = "lambda-adapter"
NATIVE_SUFFIXES = ("", ".cdx.json", ".licenses.txt")
NATIVES = ("lambda-adapter-x86_64", "lambda-adapter-aarch64")
BUILT = (
    *("bootstrap", "layer.zip"),
    *(f"{name}{suffix}" for name in NATIVES for suffix in NATIVE_SUFFIXES),
    *(f"layer-standalone-{name.rpartition('-')[2]}.zip" for name in NATIVES),
)
"""What `make` has built in dist."""


def main() -> None:
    """Check a tag, or write the release, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, nargs="?", help="where the release goes")
    parser.add_argument(
        "--check-tag", metavar="TAG", help="check it, for this directory"
    )
    options = parser.parse_args()
    if options.check_tag:
        check_tag(options.check_tag)
    if options.output:
        partial = options.output.with_name(f".{options.output.name}.new")
        shutil.rmtree(partial, ignore_errors=True)
        build(partial)
        shutil.rmtree(options.output, ignore_errors=True)
        partial.rename(options.output)
        print((options.output / "SHA256SUMS").read_text(), end="")


def check_tag(tag: str) -> None:
    """Refuse a tag for which the working directory is not ready.

    Raises:
        SystemExit: what is missing.
    """
    if tag != f"v{__version__}":
        raise SystemExit(
            f"{tag} is not the tag of version {__version__}: v{__version__}"
        )
    if f"## [{__version__}] - " not in Path("CHANGELOG.md").read_text("utf-8"):
        heading = f"## [{__version__}] - YYYY-MM-DD"
        raise SystemExit(f"CHANGELOG.md has no section {heading}: rename [Unreleased]")
    if not tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"].get(
        "urls"
    ):
        raise SystemExit(
            "pyproject.toml has no [project.urls]: add the repository's address, so"
            " that the package's page leads to its source"
        )


def build(release: Path) -> None:
    """Write every file of the release.

    Raises:
        SystemExit: `make` has not built all that belongs to it.
    """
    packages = ("build", "--no-build-isolation", "--out-dir", release)
    subprocess.run([*UV, *packages], cwd=PROJECT, check=True)  # noqa: S603 - our own command
    (release / ".gitignore").unlink(missing_ok=True)
    if missing := [name for name in BUILT if not (PROJECT / "dist" / name).exists()]:
        raise SystemExit(f"not in dist: {', '.join(missing)}; see `make help`")
    for name in BUILT:
        shutil.copy(PROJECT / "dist" / name, release)
    sbom = describe(contents(release / "bootstrap"))
    (release / "sbom.cdx.json").write_text(json.dumps(sbom, indent=2) + "\n")
    digests = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(release.iterdir())
    ]
    (release / "SHA256SUMS").write_text("".join(digests))
    (release / "NOTES.md").write_text(notes(), "utf-8")


def contents(zipapp: Path) -> dict[str, str]:
    """Return the name and the version of each package in the zipapp."""
    pattern = re.compile(r"site-packages/([^/]+)-([^-/]+)\.dist-info/METADATA")
    with zipfile.ZipFile(zipapp) as archive:
        found = [pattern.fullmatch(name) for name in archive.namelist()]
    return {each[1].replace("_", "-").lower(): each[2] for each in found if each}


def describe(packages: dict[str, str]) -> dict[str, Any]:
    """Return the SBOM of these packages: uv's, of uv.lock, without all others.

    Its serial number is derived from the rest, and it has no time, so that the same
    packages give the same document: https://cyclonedx.org/docs/1.5/json/

    Raises:
        SystemExit: a package is not in uv.lock, in this version.
    """
    export = ("export", "--frozen", "--no-dev", "--format", "cyclonedx1.5")
    done = subprocess.run(  # noqa: S603 - our own command
        [*UV, *export], cwd=PROJECT, check=True, capture_output=True
    )
    sbom: dict[str, Any] = json.loads(done.stdout)
    root = sbom["metadata"]["component"]
    root["version"] = __version__
    sbom["components"] = [
        each
        for each in sbom["components"]
        if packages.get(each["name"]) == each["version"]
    ]
    described = {each["name"] for each in (root, *sbom["components"])}
    if missing := packages.keys() - described:
        raise SystemExit(f"in the zipapp and not in uv.lock: {', '.join(missing)}")
    refs = {each["bom-ref"] for each in (root, *sbom["components"])}
    sbom["dependencies"] = [
        {
            "ref": each["ref"],
            "dependsOn": [
                ref for ref in each.get("dependsOn", []) if ref in refs - {each["ref"]}
            ],
        }
        for each in sbom["dependencies"]
        if each["ref"] in refs
    ]
    del sbom["metadata"]["timestamp"], sbom["serialNumber"]
    sbom["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(sbom)).urn
    return sbom


def notes() -> str:
    """Return the changelog's section of this version, or what is not released yet."""
    text = (PROJECT / "CHANGELOG.md").read_text("utf-8")
    headed = re.compile(
        r"^## \[([^]]+)\].*?\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
    )
    sections = {each[1]: f"{each[2].strip()}\n" for each in headed.finditer(text)}
    return sections.get(__version__) or sections["Unreleased"]


if __name__ == "__main__":
    main()

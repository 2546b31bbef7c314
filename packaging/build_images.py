"""Build the adapter's images, for both architectures, with and without a Python.

`aws-lambda-adapter:latest-x86_64`, `:latest-aarch64`, and `:latest`, which is the
first; and the same with `-standalone`. Docker, podman and buildah all can do it.

Labels of each say what it is, of which version and under which licences.
With ADAPTER_BASE=python:3.13-slim@sha256:... all stages are built from that image, and
labels of each result name it: a release's attestation then vouches for the base, too.
"""

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from build_sbom import LICENSES, license_expression

from lambda_adapter import __version__

PROJECT = Path(__file__).parent.parent
IMAGE = "aws-lambda-adapter"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
SUFFIXES = {"plain": "", "standalone": "-standalone"}
WITHOUT_LIBRARIES = {*LICENSES} - {"cpython", "gcc", "glibc", "zlib"}
"""What the image for those with a Python holds."""

ENGINES = ("docker", "podman", "buildah")


def main() -> None:
    """Build with the engine named on the command line, and the flags after it."""
    named, *flags = sys.argv[1:] or [""]
    flags += base_flags(os.environ.get("ADAPTER_BASE", ""))
    engine = shlex.split(named) or find_engine(ENGINES)
    for architecture in "x86_64", "aarch64":
        for target, suffix in SUFFIXES.items():
            all_flags = [*labels(PROJECT, target), *flags]
            build(engine, architecture, target, suffix, all_flags)


def base_flags(base: str) -> list[str]:
    """Return the flags that build from a base image, and name it in labels.

    https://specs.opencontainers.org/image-spec/annotations/

    Raises:
        SystemExit: The base is not named by its digest.
    """
    if not base:
        return []
    found = re.fullmatch(r"([^@\s]+)@(sha256:[0-9a-f]{64})", base)
    if not found:
        raise SystemExit(f"ADAPTER_BASE={base}: expected NAME@sha256:DIGEST")
    label = "org.opencontainers.image.base"
    return [
        *("--build-arg", f"BASE={base}"),
        *(
            "--label",
            f"{label}.name={found[1]}",
            "--label",
            f"{label}.digest={found[2]}",
        ),
    ]


def labels(project: Path, target: str) -> list[str]:
    """Return the flags for the labels that say what an image is.

    The source is named only where ``pyproject.toml`` names the repository.
    https://specs.opencontainers.org/image-spec/annotations/
    """
    about = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    urls = {name.lower(): url for name, url in about.get("urls", {}).items()}
    inside = set(LICENSES) if target == "standalone" else WITHOUT_LIBRARIES
    said = {
        "title": IMAGE,
        "description": about["description"],
        "version": __version__,
        "licenses": license_expression(inside),
        "source": urls.get("repository") or urls.get("source"),
    }
    flags: list[str] = []
    for name, value in said.items():
        if value:
            flags += ["--label", f"org.opencontainers.image.{name}={value}"]
    return flags


def find_engine(candidates: tuple[str, ...]) -> list[str]:
    """Find one that is installed and answers.

    Raises:
        SystemExit: There is none, and why each of them is none.
    """
    reasons: list[str] = []
    for name in candidates:
        if not shutil.which(name):
            reasons.append(f"{name}: not installed")
            continue
        info = subprocess.run([name, "info"], capture_output=True, text=True)  # noqa: S603 - one of ENGINES
        if info.returncode == 0:
            return [name]
        lines = info.stderr.strip().splitlines() or ["it does not respond"]
        reasons.append(f"{name}: {lines[-1]}")
    raise SystemExit("\n  ".join(["This needs one of these:", *reasons]))


def build(
    engine: list[str], architecture: str, target: str, suffix: str, flags: list[str]
) -> None:
    """Build one image, and give it its names."""
    tags = [f"{IMAGE}:latest-{architecture}{suffix}"]
    if architecture == "x86_64":
        tags.append(f"{IMAGE}:latest{suffix}")
    print(f"Building {', '.join(tags)} with {engine[0]}", flush=True)
    here = ARCHITECTURES[platform.machine()]
    command = [
        *(*engine, "build", "--target", target),
        *("--platform", f"linux/{ARCHITECTURES[architecture]}"),
        # Docker knows it; podman and buildah have to be told.
        *("--build-arg", f"BUILDPLATFORM=linux/{here}"),
        *(word for tag in tags for word in ("--tag", tag)),
        *(*flags, "."),
    ]
    status = subprocess.run(command, cwd=PROJECT).returncode  # noqa: S603 - the engine
    if status:
        raise SystemExit(f"{shlex.join(command)} failed with {status}")


if __name__ == "__main__":
    main()

"""Stand-ins for official images, for the private engine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.images.engine import CACHE

if TYPE_CHECKING:
    from tests.images.engine import Engine

HUB = "docker.io/library"
NAMES = {
    "python": "python:3.13-slim",
    "node": "node:24-slim",
    "nginx": "nginx:1.28",
    "jre": "eclipse-temurin:21-jre",
    "maven": "maven:3-eclipse-temurin-21",
    "busybox": "busybox:musl",
    "golang": "golang:1.24",
    "php": "php:8.4-apache",
}
"""Targets of bases/Dockerfile, and what each stands in for."""

TRUST = Path("/etc/ssl/certs/ca-certificates.crt")
MINBASE = ["--variant=minbase", "--include=ca-certificates"]
# Debian's certificates, and those of its own that this machine trusts.
COPY_TRUST = [
    "--customize-hook=copy-in /usr/local/share/ca-certificates /usr/local/share",
    "--customize-hook=chroot $1 update-ca-certificates",
]
# Unpacked but not set up: nothing of the other architecture is executed.
FOREIGN = ["--variant=extract", "--architectures=arm64", "--include=python3,libc6"]


def make_bases(engine: Engine) -> None:
    """Make those that are not there yet; all together take three minutes."""
    if not engine.has("localhost/trixie"):
        import_debian(engine, "trixie", "trixie", [*MINBASE, *COPY_TRUST])
    for target, name in NAMES.items():
        if engine.has(f"{HUB}/{name}"):
            continue
        directory = Path(__file__).parent / "bases"
        engine.build(directory, f"localhost/{target}", "--target", target)
        if target == "python":
            make_multi_platform(engine, f"{HUB}/{name}")
        else:
            engine("tag", f"localhost/{target}", f"{HUB}/{name}")
    for suite, name, arguments in (
        ("bullseye", "debian:bullseye-slim", MINBASE),  # glibc 2.31
        ("bookworm", "python:3.11-slim", [*MINBASE, "--include=python3"]),
    ):
        if not engine.has(f"{HUB}/{name}"):
            import_debian(engine, suite, suite, arguments)
            engine("tag", f"localhost/{suite}", f"{HUB}/{name}")


def make_multi_platform(engine: Engine, name: str) -> None:
    """Put localhost/python and its sibling for arm64 behind one name."""
    import_debian(engine, "trixie", "python-arm64", FOREIGN, "--arch", "arm64")
    engine("manifest", "create", name)
    for image in "python", "python-arm64":
        engine("manifest", "add", name, f"containers-storage:localhost/{image}")


def import_debian(
    engine: Engine, suite: str, tag: str, arguments: list[str], *flags: str
) -> None:
    """Make an image of Debian's packages."""
    archive = CACHE / f"{tag}.tar"
    subprocess.run(
        ["mmdebstrap", "--quiet", *arguments, suite, archive],
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
        check=True,
    )
    changes = ["ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    if TRUST.exists():
        changes += [f"ENV NODE_EXTRA_CA_CERTS={TRUST}", f"ENV PIP_CERT={TRUST}"]
    options = [word for change in changes for word in ("--change", change)]
    engine("import", *options, *flags, archive, f"localhost/{tag}")
    archive.unlink()

"""The engine that builds and runs images: the one named, or a private podman.

The private one has a store of its own, because it holds stand-ins for official images
under their names, and those are nothing that anybody else should find.
"""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROJECT = Path(__file__).parent.parent.parent
CACHE = PROJECT / ".cache/images"
PROGRAMS = {"podman": "podman", "runc": "runc", "mmdebstrap": "mmdebstrap"}
"""What the private engine needs: each program, and Debian's package of it."""

CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc=1024:1024"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
"""Works in a container too, with hybrid cgroups, and where no limit may be raised."""


class EngineError(Exception):
    """A command of the engine failed; the message is what it printed."""


class Engine:
    """Docker, or podman in its words."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], private: bool
    ) -> None:
        self.command = list(command)
        self.environ = dict(environ)
        self.private = private

    def __call__(self, *arguments: str | Path) -> str:
        """Run a command of the engine, and return what it prints.

        Raises:
            EngineError: It failed.
        """
        done = subprocess.run(
            [*self.command, *arguments],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            words = shlex.join(map(str, arguments))
            raise EngineError(f"{words}: {done.returncode}\n{done.stdout}")
        return done.stdout

    def has(self, tag: str) -> bool:
        """Tell whether there is an image of this name."""
        try:
            self("image", "inspect", tag)
        except EngineError:
            return False
        return True

    def build(self, context: Path, tag: str, *arguments: str | Path) -> None:
        """Build an image."""
        self("build", "--network", "host", "--tag", tag, *arguments, context)


def open_engine() -> Engine:
    """Use the engine that DOCKER names, with the images that it can get, or our own.

    Raises:
        EngineError: Our own lacks a program, and this user can't install it.
    """
    named = os.environ.get("DOCKER")
    if named:
        return Engine(shlex.split(named), os.environ, private=False)
    install(PROGRAMS)
    CACHE.mkdir(parents=True, exist_ok=True)
    configuration = CACHE / "containers.conf"
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    configuration.write_text(CONTAINERS_CONF.format(files=files))
    return Engine(
        ["podman", "--root", f"{CACHE}/store", "--runroot", f"{CACHE}/run"],
        {**os.environ, "CONTAINERS_CONF": str(configuration)},
        private=True,
    )


def install(programs: Mapping[str, str]) -> None:
    """Install what is missing of these programs.

    Raises:
        EngineError: Only root can, and this is Debian's way.
    """
    missing = [package for program, package in programs.items() if not which(program)]
    if not missing:
        return
    if os.getuid() or not which("apt-get"):
        raise EngineError(
            f"this needs {', '.join(missing)}: root on Debian gets them by itself; or "
            "name an engine: make e2e-images DOCKER=docker"
        )
    for command in (
        ["apt-get", "update"],
        ["apt-get", "install", "--yes", "--no-install-recommends", *missing],
    ):
        subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            check=True,
            stdout=subprocess.DEVNULL,
        )


def which(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")

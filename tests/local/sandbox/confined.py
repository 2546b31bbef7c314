"""A command in a sandbox, from start to end."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lambda_adapter.local.sandbox.jail import Jail
from lambda_adapter.local.sandbox.limits import Limits

PLENTY = 60.0
"""Seconds for a command to end, on a machine that is busy."""


class Confined:
    """A process in a sandbox."""

    def __init__(self, jail: Jail, process: subprocess.Popen[str]) -> None:
        self.jail = jail
        self.process = process

    def output(self) -> str:
        """Return what it has printed, once it has ended."""
        return self.process.communicate(timeout=PLENTY)[0]


@contextmanager
def confined(
    program: str,
    folder: Path,
    limits: Limits | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    wrapper: tuple[str, ...] = (),
) -> Iterator[Confined]:
    """Run a program of Python in a sandbox, in a folder."""
    command = [sys.executable, "-c", program]
    jail = Jail(limits or Limits(), command, environ, str(folder))
    process = subprocess.Popen(
        [*wrapper, *jail.wrap(command)],
        cwd=folder,
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=jail.passed,
        text=True,
    )
    try:
        jail.attach(process.pid)
        yield Confined(jail, process)
    finally:
        process.kill()
        process.communicate()
        jail.close()

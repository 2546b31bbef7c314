"""``lambda-adapter local`` as a process: what it prints, and how it ends."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.adapter import ENVIRON
from tests.ports import free_ports
from tests.processes import Process

LOCAL = [sys.executable, "-m", "lambda_adapter", "local"]
TIMEOUT = 20
"""Seconds for anything that this waits for."""


def app_port() -> str:
    """Return a port for an application, as an option's value."""
    return str(free_ports(1)[0])


class Terminal:
    """A running command."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def port(self) -> int:
        """The port of the gateway, once it is printed."""
        line = self.wait(r"http://127\.0\.0\.1:\d+  ")
        return int(re.findall(r":(\d+)  ", line)[0])

    def wait(self, pattern: str) -> str:
        """Return the first line with a pattern, once there is one."""
        return self.wait_for_lines(1, pattern)[0]

    def wait_for_lines(self, count: int, pattern: str) -> list[str]:
        """Return the lines with a pattern, once there are so many."""

        def found() -> list[str]:
            return [line for line in self.lines if re.search(pattern, line)]

        with self._news:
            has_come = self._news.wait_for(lambda: len(found()) >= count, TIMEOUT)
            assert has_come, self.lines
            return found()

    def type(self, text: str) -> None:
        """Type a line: its standard input is a pipe."""
        assert self.process.stdin
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Signal it, and return its exit status."""
        self.process.send_signal(number)
        return self.status()

    def status(self) -> int:
        """Return its exit status, once it has ended by itself."""
        status = self.process.wait(TIMEOUT)
        self._reader.join(TIMEOUT)
        return status

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()


@contextmanager
def open_terminal(
    *arguments: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    is_measured: bool = True,
) -> Iterator[Terminal]:
    """Run a command in a process group of its own; end it, if it has not ended.

    ``is_measured``: whether coverage may write its data, in the working directory.
    """
    base = ENVIRON if is_measured else {"PATH": ENVIRON["PATH"]}
    with Process(
        [*LOCAL, *arguments],
        env={**base, **(env or {})},
        cwd=cwd,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    ) as process:
        terminal = Terminal(process)
        try:
            yield terminal
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            terminal.status()

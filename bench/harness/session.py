"""A subject at work: the far end, the application and the adapter, for one round.

All of them run on the same cores, and all of them are ended with the round.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec

from bench.harness.builds import PATH, PROJECT, native
from bench.harness.far_end import Order, Report
from bench.harness.subjects import Application, Subject

FUNCTION = {
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
    "AWS_REGION": "eu-central-1",
    "LANG": "C.UTF-8",
}
"""The environment of a function; nothing of this process's own is passed on."""

LISTEN_TIMEOUT = 20.0
"""Seconds for an application to listen."""


class BrokenRunError(Exception):
    """A subject did not do what it is measured by."""


class Launched(msgspec.Struct, frozen=True):
    """What ``launch`` wrote: when it executed a command, and as which process."""

    at: int
    pid: int


class Session:
    """One subject's processes."""

    def __init__(
        self,
        subject: Subject,
        application: Application | None,
        cores: Sequence[int],
        directory: Path,
    ) -> None:
        self.subject = subject
        self._application = application
        self.directory = directory
        self._cores = ",".join(map(str, cores))
        self._log = directory / "log"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.port = _free_port()
        far_end = "runtime_api" if subject.command else "client"
        plays_app = [] if subject.command and application else [str(self.port)]
        self._far_end = self._start(
            "far-end",
            [sys.executable, "-m", f"bench.harness.{far_end}", *plays_app],
            {"PATH": PATH, "PYTHONPATH": str(PROJECT)},
            pipes=True,
        )
        assert self._far_end.stdout
        self._address = self._far_end.stdout.readline().decode().strip()

    def start(
        self, environ: Mapping[str, str], within: Sequence[str], *, ready: bool
    ) -> None:
        """Start the application and the adapter; see ``open_session``."""
        subject, application = self.subject, self._application
        environ = {
            **FUNCTION,
            "PATH": PATH,
            "AWS_LAMBDA_RUNTIME_API": self._address,
            "AWS_LWA_PORT": str(self.port),
            "PORT": str(self.port),
            "BENCH_ASGI": application.asgi if application else "",
            **subject.environ,
            **environ,
        }
        app: list[str] = []
        if application and not subject.has_app:
            app = application.command(self.port)
        apart = app if not subject.starts_app else []
        if apart and (ready or not subject.waits):
            self._start("app", apart, environ)
            _wait_listening(self.port)
            apart = []
        if subject.command:
            command = [*within, *subject.command]
            if subject.starts_app:
                command += [*self._launch("app"), *app]
            self._start("adapter", command, environ)
        if apart:
            self._start("app", apart, environ)

    def run(self, payload: Path, count: int) -> Report:
        """Have that many invocations made, and return when what happened.

        Raises:
            BrokenRunError: not all of them had a reply.
        """
        assert self._far_end.stdin
        assert self._far_end.stdout
        order = Order(str(payload), count, str(self.directory / "adapter"))
        self._far_end.stdin.write(msgspec.json.encode(order) + b"\n")
        self._far_end.stdin.flush()
        line = self._far_end.stdout.readline()
        report = msgspec.json.decode(line, type=Report) if line else Report()
        if len(report.replied) != count or report.errors:
            raise BrokenRunError(
                f"{self.subject.name}: {len(report.replied)} of {count} invocations"
                f" ended, {report.errors} in errors\n"
                f"{self._log.read_text('utf-8', 'replace')}{report.first_reply[:500]!r}"
            )
        return report

    def launched(self, who: str) -> Launched:
        """Return when the ``adapter`` or the ``app`` was executed, and its pid."""
        at, pid = (self.directory / who).read_text().split()
        return Launched(int(at), int(pid))

    def end_adapter(self, number: int) -> None:
        """Send the adapter a signal, and wait for the end of whatever runs it."""
        pid = self.launched("adapter").pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(int(children[0]) if children else pid, number)
        for process in self._processes:
            if process.pid == pid:
                process.wait(60)

    def stop(self) -> None:
        """Kill everything, whichever process started it."""
        for who in ("app", "adapter"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(self.launched(who).pid, signal.SIGKILL)
        for process in self._processes:
            process.kill()
            process.communicate()

    def _launch(self, who: str) -> list[str]:
        return [str(native("launch")), str(self.directory / who), self._cores]

    def _start(
        self,
        who: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        pipes: bool = False,
    ) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [*self._launch(who), *command],
                env=environ,
                cwd=self.subject.cwd or self.directory,
                stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipes else log,
                stderr=log,
            )
        self._processes.append(process)
        return process


@contextlib.contextmanager
def open_session(
    subject: Subject,
    application: Application | None,
    cores: Sequence[int],
    *,
    ready: bool = True,
    within: Sequence[str] = (),
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Session]:
    """Start a subject in front of an application, and end both at the end.

    Without an application, the far end plays it. With ``ready``, the application
    listens before the adapter starts, unless the adapter starts it. ``within`` is a
    command that runs the adapter's, such as strace.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        session = Session(subject, application, cores, Path(directory))
        try:
            session.start(environ, within, ready=ready)
            yield session
        finally:
            session.stop()


def first_cores(counts: Iterable[int]) -> list[list[int]]:
    """Return the first CPUs that this process may use, as many as each count says.

    Where two cores are wanted and one is there, that is one place to measure.
    """
    usable = sorted(os.sched_getaffinity(0))
    places = [usable[:count] for count in counts]
    return [place for index, place in enumerate(places) if place not in places[:index]]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_listening(port: int) -> None:
    until = time.monotonic() + LISTEN_TIMEOUT
    while time.monotonic() < until:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.002)
    raise BrokenRunError(f"the application does not listen after {LISTEN_TIMEOUT} s")

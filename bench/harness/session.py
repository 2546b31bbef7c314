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
from collections.abc import Iterator, Mapping, Sequence
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
    "PATH": PATH,
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

    def __init__(self, subject: Subject, cores: Sequence[int], directory: Path) -> None:
        self.subject = subject
        self.directory = directory
        self._cores = ",".join(map(str, cores))
        self._log = directory / "log"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def launch(self, who: str) -> list[str]:
        """Return what is put before a command, for ``launched`` to know of it."""
        return [str(native("launch")), str(self.directory / who), self._cores]

    def start(
        self, who: str, command: Sequence[str], environ: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start a process that ends with the session."""
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        is_far_end = who == "far-end"
        with self._log.open("ab") as log:
            self._processes[who] = subprocess.Popen(
                [*self.launch(who), *command],
                env=environ,
                cwd=self.subject.cwd or self.directory,
                stdin=pipe if is_far_end else null,
                stdout=pipe if is_far_end else log,
                stderr=log,
            )
        return self._processes[who]

    def run(self, payload: Path, count: int) -> Report:
        """Have that many invocations made, and return when what happened.

        Raises:
            BrokenRunError: not all of them had a reply.
        """
        order = Order(str(payload), count, str(self.directory / "adapter"))
        far_end = self._processes["far-end"]
        assert far_end.stdin
        assert far_end.stdout
        far_end.stdin.write(msgspec.json.encode(order) + b"\n")
        far_end.stdin.flush()
        line = far_end.stdout.readline()
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
        self._processes["adapter"].wait(60)

    def stop(self) -> None:
        """Kill everything, also an application that the adapter has started."""
        with contextlib.suppress(OSError, ValueError):
            os.kill(self.launched("app").pid, signal.SIGKILL)
        for process in self._processes.values():
            process.kill()
            process.communicate()


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
        session = Session(subject, cores, Path(directory))
        try:
            _start(session, application, ready, within, environ)
            yield session
        finally:
            session.stop()


def _start(
    session: Session,
    application: Application | None,
    ready: bool,
    within: Sequence[str],
    environ: Mapping[str, str],
) -> None:
    subject = session.subject
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    module = "runtime_api" if subject.command else "client"
    plays_app = [] if subject.command and application else [str(port)]
    far_end = session.start(
        "far-end",
        [sys.executable, "-m", f"bench.harness.{module}", *plays_app],
        {"PATH": PATH, "PYTHONPATH": str(PROJECT)},
    )
    assert far_end.stdout
    environ = {
        **FUNCTION,
        "AWS_LAMBDA_RUNTIME_API": far_end.stdout.readline().decode().strip(),
        "AWS_LWA_PORT": str(port),
        "PORT": str(port),
        "BENCH_ASGI": application.asgi if application else "",
        **subject.environ,
        **environ,
    }
    app: list[str] = []
    if application and not subject.has_app:
        app = application.command(port)
    arguments = []
    if app and subject.starts_app:
        arguments, app = [*session.launch("app"), *app], []
    if app and (ready or not subject.waits):
        session.start("app", app, environ)
        _wait_listening(port)
        app = []
    if subject.command:
        session.start("adapter", [*within, *subject.command, *arguments], environ)
    if app:
        session.start("app", app, environ)


def _wait_listening(port: int) -> None:
    until = time.monotonic() + LISTEN_TIMEOUT
    while time.monotonic() < until:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.002)
    raise BrokenRunError(f"the application does not listen after {LISTEN_TIMEOUT} s")

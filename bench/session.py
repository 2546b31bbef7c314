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

from bench import builds
from bench.builds import PROJECT
from bench.far_end import Order, Report
from bench.subjects import Application, Subject

FUNCTION = {
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
    "AWS_REGION": "eu-central-1",
    "LANG": "C.UTF-8",
}
"""What Lambda's environment has. Nothing of this process's own gets in."""

LISTENING = 20.0
"""Seconds for an application to listen."""


class BrokenRunError(Exception):
    """A subject did not do what it is measured by."""


class Launched(msgspec.Struct, frozen=True):
    """What ``launch`` wrote down: when it executed a command, and as whom."""

    at: int
    pid: int


class Session:
    """One subject's processes."""

    def __init__(
        self,
        subject: Subject,
        cores: Sequence[int],
        directory: Path,
        within: Sequence[str] = (),
    ) -> None:
        self.subject = subject
        self._cores = ",".join(map(str, cores))
        self.directory = directory
        self._within = within
        self._processes: list[subprocess.Popen[bytes]] = []
        self._far_end: subprocess.Popen[bytes] | None = None
        self.log = directory / "log"

    def start(
        self, application: Application, environ: Mapping[str, str], *, ready: bool
    ) -> None:
        """Start the far end, the application and the adapter, which is the clock's 0.

        With ``ready``, the application listens before the adapter starts, unless the
        adapter itself starts it.
        """
        port = _free_port()
        subject = self.subject
        address = self._start_far_end(port)
        environ = {
            **FUNCTION,
            "PATH": builds.path(),
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_LWA_PORT": str(port),
            "PORT": str(port),
            "BENCH_ASGI": application.asgi,
            **subject.environ,
            **environ,
        }
        app = [] if subject.has_app else application.command(port)
        app = [*self._launch("app"), *app] if app else []
        apart = app if not subject.starts_app else []
        if apart and (ready or not subject.waits):
            self._start(apart, environ)
            _wait_listening(port)
            apart = []
        if subject.command:
            command = [*self._within, *subject.command]
            arguments = app if subject.starts_app else []
            self._start([*self._launch("adapter"), *command, *arguments], environ)
        if apart:
            self._start(apart, environ)

    def run(self, payload: Path, count: int) -> Report:
        """Have that many invocations made, and return when what happened.

        Raises:
            BrokenRunError: not all of them were answered.
        """
        self.order(payload, count)
        return self.report(count)

    def order(self, payload: Path, count: int) -> None:
        """Say what is to be done, without waiting for it."""
        assert self._far_end
        assert self._far_end.stdin
        order = Order(str(payload), count, str(self.directory / "adapter"))
        self._far_end.stdin.write(msgspec.json.encode(order) + b"\n")
        self._far_end.stdin.flush()

    def report(self, count: int) -> Report:
        """Wait until an order is done."""
        assert self._far_end
        assert self._far_end.stdout
        line = self._far_end.stdout.readline()
        report = msgspec.json.decode(line, type=Report) if line else Report([], [])
        if len(report.replied) != count or report.errors:
            raise BrokenRunError(
                f"{self.subject.name}: {len(report.replied)} of {count} answered,"
                f" {report.errors} by errors\n{self.log.read_text('utf-8', 'replace')}"
                f"{report.first_reply[:500]!r}"
            )
        return report

    def launched(self, who: str) -> Launched:
        """Return when the ``adapter`` or the ``app`` was executed, and its pid."""
        at, pid = (self.directory / who).read_text().split()
        return Launched(int(at), int(pid))

    def end_adapter(self, number: int) -> None:
        """Send the adapter a signal, and wait for the end of whatever runs it."""
        pid = self.launched("adapter").pid
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            traced = children.read().split()
        os.kill(int(traced[0]) if traced else pid, number)
        for process in self._processes:
            if process.pid == pid:
                process.wait(60)

    def stop(self) -> None:
        """Kill everything, whoever started it."""
        for who in ("app", "adapter"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(self.launched(who).pid, signal.SIGKILL)
        for process in self._processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()

    def _start_far_end(self, port: int) -> str:
        direct = ["bench.direct", f"127.0.0.1:{port}"]
        module = direct if self.subject.direct else ["bench.runtime_api"]
        process = self._start(
            [*self._launch("far-end"), sys.executable, "-m", *module],
            {"PATH": builds.path(), "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._far_end = process
        assert process.stdout
        return process.stdout.readline().decode().strip()

    def _launch(self, who: str) -> list[str]:
        launch = builds.native("launch")
        return [str(launch), str(self.directory / who), self._cores]

    def _start(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
    ) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                env=environ,
                cwd=self.subject.cwd or self.directory,
                stdin=stdin,
                stdout=stdout if stdout is not None else log,
                stderr=log,
            )
        self._processes.append(process)
        return process


@contextlib.contextmanager
def open_session(
    subject: Subject,
    application: Application,
    cores: Sequence[int],
    *,
    ready: bool = True,
    within: Sequence[str] = (),
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Session]:
    """Start a subject in front of an application, and end both at the end.

    ``within`` is a command that runs the adapter's, such as strace.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        session = Session(subject, cores, Path(directory), within)
        try:
            session.start(application, environ, ready=ready)
            yield session
        finally:
            session.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_listening(port: int) -> None:
    until = time.monotonic() + LISTENING
    while time.monotonic() < until:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.002)
    raise BrokenRunError("the application does not listen")

"""A subject at work: the far end, the application and the adapter, for one round.

All of them run on the cores of the process that measures, and are ended with the round.
"""

import contextlib
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType

from bench.harness import far_end
from bench.harness.orders import Order, Report
from bench.harness.subjects import CACHE, PATH, Application, BenchError, Subject

FUNCTION = {
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
    "AWS_REGION": "eu-central-1",
    "LANG": "C.UTF-8",
    "PATH": PATH,
}
"""The environment of a function; nothing of this process's own is passed on."""


class Session:
    """A subject's processes, whose output goes to a log."""

    def __init__(self, directory: Path, orders: Connection) -> None:
        self.directory = directory
        self.pid = 0
        """The adapter's process id, or that of what runs it."""
        self._orders = orders
        self._processes: list[subprocess.Popen[bytes]] = []

    def launch(self, who: str, command: Sequence[str]) -> list[str]:
        """Return a command that tells when it is executed, for ``launched``."""
        return [str(CACHE / "launch"), str(self.directory / who), *command]

    def launched(self, who: str) -> int:
        """Return when a command was executed, in nanoseconds of CLOCK_MONOTONIC."""
        return int((self.directory / who).read_text())

    @property
    def pids(self) -> list[int]:
        """The process ids of all that was started here."""
        return [process.pid for process in self._processes]

    def start(self, who: str, command: Sequence[str], environ: dict[str, str]) -> int:
        """Start a process that ends with the session, and return its id."""
        with (self.directory / "log").open("ab") as log:
            process = subprocess.Popen(
                self.launch(who, command),
                env=environ,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)
        return process.pid

    def run(self, events: Sequence[bytes], count: int, asking: int = 1) -> Report:
        """Have that many invocations made, and return when what happened.

        The first ones are made once so many ask for them, and each of those gets one.

        Raises:
            BenchError: not all of them had a reply.
        """
        self._orders.send(Order(events, count, self.pid, asking))
        report = Report()
        with contextlib.suppress(EOFError):
            report = self._orders.recv()
        if len(report.replied) != count:
            log = (self.directory / "log").read_text("utf-8", "replace")
            raise BenchError(f"{len(report.replied)} of {count} replies\n{log}")
        return report

    def end_adapter(self, number: int) -> None:
        """Send the adapter a signal, and wait for the end of whatever runs it."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        os.kill(int(children.split()[0]) if children else self.pid, number)
        self._processes[-1].wait(60)

    def stop(self) -> None:
        """Kill everything; an application that the adapter has started ends with it."""
        for process in self._processes:
            process.kill()
            process.wait()


@contextlib.contextmanager
def open_session(
    subject: Subject,
    application: Application | None,
    *,
    within: Sequence[str] = (),
    settles: bool = False,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Session]:
    """Start a subject in front of an application, and end both at the end.

    Without an application, the far end plays it. ``within`` is a command that runs the
    adapter's, such as strace. If the far end ``settles``, as it does when it plays the
    application, it sends nothing before every thread of the adapter sleeps.
    """
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        api, app = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
            for _ in range(2)
        ]
        port = app.getsockname()[1]
        if application:
            app.close()
        played = None if application else app
        far_side = far_end.start(api, played, settles=settles or not application)
        orders = stack.enter_context(far_side)
        session = Session(Path(directory), orders)
        stack.callback(session.stop)
        name = application.callable if application else ""
        environ = {
            **FUNCTION,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.getsockname()[1]}",
            **dict.fromkeys(["AWS_LWA_PORT", "PORT", "UVICORN_PORT"], str(port)),
            **dict.fromkeys(
                ["BENCH_ASGI", "BENCH_WSGI"],
                application.callable if application else "",
            ),
            **subject.environ,
            **environ,
        }
        adapter = [*within, *(each.format(callable=name) for each in subject.command)]
        if application and subject.app == "child":
            adapter += session.launch("app", application.command)
        elif application and subject.app == "beside":
            session.start("app", application.command, environ)
        session.pid = session.start("adapter", adapter, environ)
        yield session

"""Watch the application's process, and end it."""

import contextlib
import os
import signal
from types import TracebackType
from typing import Self

import trio

from lambda_adapter.app.procfs import ENDED, find_relatives, list_processes
from lambda_adapter.errors import AppExitedError
from lambda_adapter.launcher import EXTENSIONS, Child
from lambda_adapter.observe.logs import log

GRACE = 0.4
"""Seconds from SIGTERM to SIGKILL. Lambda gives the runtime 500 ms:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown"""

GRACE_WITH_EXTENSIONS = 0.25
"""The same beside external extensions, where Lambda gives the runtime 300 ms:
https://github.com/aws-samples/graceful-shutdown-with-aws-lambda"""

GRACE_LOCALLY = 2.0
"""The same for `lambda-adapter local`, whose machine may be a busy one."""

FOREGROUND = (
    "it has to run in the foreground: nginx with `daemon off;`,"
    " gunicorn without --daemon"
)
"""Advice if the command exits with status 0: the server went into the background."""

EXITED_0 = "exited with status 0"

WITHOUT_LIMIT = (
    f"{FOREGROUND}; and without a limit on its requests, such as uvicorn's"
    " --limit-max-requests"
)
"""Advice if it exits with status 0 while it is serving."""

LAST_MOMENT = 0.05
"""Generous upper bound, in seconds, between a crashing process closing its sockets and
its exit; also what invocations in progress get after that to fail with a reply."""

POLL = 0.05
"""Seconds between two checks of a child on a system without pidfds."""

GROUP_POLL = 0.01
"""Seconds between two checks of a process group."""


class AppProcess:
    """The child as a context manager, whose exit ends the child and its group."""

    def __init__(self, child: Child, *, locally: bool = False) -> None:
        self._child = child
        self._locally = locally

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """SIGTERM to the child, then to the rest of its group; then SIGKILL to all."""
        # Each process gets SIGTERM only once. A child that forwards it, as gunicorn and
        # npm do, exits after its own children. These must not get a second SIGTERM, on
        # which some programs exit immediately: Node.js with
        # ``process.once('SIGTERM')``. A shell script that forwards nothing exits first,
        # and its children get the rest of the time.
        #
        # Looked for before the child is signalled: once it has exited, its children
        # have another parent, and can't be found.
        strays = self._strays()
        with trio.move_on_after(grace(locally=self._locally), shield=True):
            # Still its own pid: it is reaped last.
            if self.ended() is None:
                os.kill(self._child.pid, signal.SIGTERM)
                await self.wait_ended()
            if self._are_left(strays):
                log.info("SIGTERM to the processes that the application left behind")
                self._signal(strays, signal.SIGTERM)
                while self._are_left(strays):  # noqa: ASYNC110 - no event tells
                    await trio.sleep(GROUP_POLL)
        if self.ended() is None:
            log.warning("the application did not end on SIGTERM; sending SIGKILL")
        elif self._are_left(strays):
            log.warning(
                "processes that the application left behind did not end on SIGTERM;"
                " sending SIGKILL"
            )
        self._signal(strays, signal.SIGKILL)
        self._reap()

    def _strays(self) -> set[tuple[int, int]]:
        """Return the child's descendants in other process groups, each with its group.

        A server that creates its own session, as PHP-FPM does, would outlive the child.
        """
        return {
            (each.pid, each.group)
            for each in find_relatives(self._child.pid)
            if each.group != self._child.pid
        }

    def _are_left(self, strays: set[tuple[int, int]]) -> bool:
        return has_members(self._child.pid) or bool(still_running(strays))

    def _signal(self, strays: set[tuple[int, int]], number: int) -> None:
        """Signal the child's process group, and the descendants that left it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, number)
        for pid in still_running(strays):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _reap(self) -> None:
        """Reap the child."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._child.pid, 0)
        if self._child.pidfd != -1:
            os.close(self._child.pidfd)

    @property
    def pid(self) -> int:
        """The child's pid."""
        return self._child.pid

    def ended(self) -> str | None:
        """Return how the child exited, in words, or None while it runs."""
        # WNOWAIT leaves it a zombie until this context is left, so that its pid, and
        # the number of its group, are not given to another process meanwhile.
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            result = os.waitid(os.P_PID, self._child.pid, flags)
        except ChildProcessError:
            return "exited with unknown status (SIGCHLD is ignored)"
        if result is None:
            return None
        if result.si_code == os.CLD_EXITED:
            return f"exited with status {result.si_status}"
        if result.si_status == signal.SIGKILL:
            return "was ended by SIGKILL (was it out of memory?)"
        return f"was ended by {describe_signal(result.si_status)}"

    async def wait_ended(self) -> str:
        """Wait until the child has exited; return how, in words."""
        while (how := self.ended()) is None:
            if self._child.pidfd != -1:
                await trio.lowlevel.wait_readable(self._child.pidfd)
            else:
                await trio.sleep(POLL)
        return how

    async def watch(self, exited: trio.Event) -> None:
        """Wait for the application's exit, which is an error, and set ``exited`` then.

        Raises:
            AppExitedError: it has exited.
        """
        how = await self.wait_ended()
        exited.set()
        # The invoke loops see broken connections first, and reply to their clients.
        await trio.sleep(LAST_MOMENT)
        failure = AppExitedError(f"the application {how} while it was serving")
        if how == EXITED_0:
            failure.advice = WITHOUT_LIMIT
        raise failure


def has_members(group: int) -> bool:
    """Return whether a process of this group still runs, zombies not counted."""
    # ``killpg`` with signal 0 would say so in one call, but it counts the child until
    # that is reaped.
    return any(
        each.group == group and each.state not in ENDED for each in list_processes()
    )


def still_running(strays: set[tuple[int, int]]) -> list[int]:
    """Return those that still run. The group must match too, since pids are reused."""
    if not strays:
        return []
    return [
        each.pid
        for each in list_processes()
        if (each.pid, each.group) in strays and each.state not in ENDED
    ]


def describe_signal(number: int) -> str:
    """Return the name of a signal, or the number of a real-time signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def grace(extensions: str = EXTENSIONS, *, locally: bool = False) -> float:
    """Return the seconds between SIGTERM and SIGKILL."""
    if locally:
        return GRACE_LOCALLY
    try:
        external = os.listdir(extensions)
    except OSError:
        external = []
    return GRACE_WITH_EXTENSIONS if external else GRACE

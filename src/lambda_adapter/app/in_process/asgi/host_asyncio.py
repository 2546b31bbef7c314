"""An ASGI application on asyncio, whose loop trio steps: both run in one thread.

How it works. ``SteppedLoop`` runs until asyncio would wait, and returns to trio. trio
then waits for the selector's descriptor, and for as long as asyncio would have waited.
While the adapter waits for Lambda in the kernel, it waits for the same (``Companion``
in ``http.wire``).

What was tried. A thread for asyncio costs two changes of threads for each request, and
trio as asyncio's guest as much. trio-asyncio, which runs asyncio's tasks as trio's, is
there for applications that mix both (``host_trio_asyncio``): it has to be patched for
Django, and Python 3.14 can't import it.

Not solved: an application that blocks the thread blocks trio as well. ``watchdog`` says
where it is, and Lambda ends the environment.
"""

import asyncio
import math
import sys
from collections.abc import Awaitable, Callable

import sniffio
import trio

from lambda_adapter.app.in_process.asgi.host import (
    Ended,
    Gate,
    Task,
    cancelled,
    contained,
)
from lambda_adapter.app.in_process.asgi.stepped_loop import SteppedLoop
from lambda_adapter.app.in_process.forked import end_if_child
from lambda_adapter.http.wire import COMPANION
from lambda_adapter.observe.logs import log

LAST_TASKS = 0.1
"""Seconds that cancelled tasks have to end, when the host ends."""


class AsyncioGate:
    """A gate for coroutines on asyncio."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._future: asyncio.Future[None] = loop.create_future()

    def open(self) -> None:
        """Let the application continue; a cancelled one does so by itself."""
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self) -> None:
        """Wait until it is open."""
        await self._future


class AsyncioHost:
    """Runs an application's coroutines as asyncio's tasks."""

    def __init__(self) -> None:
        if sys.version_info < (3, 14):
            keep_child_watcher()
        self._loop = open_loop()  # what modules find while they are imported
        self._life = trio.CancelScope(shield=True)
        self._wait = trio.CancelScope()
        self._due = math.inf
        """When asyncio has something to do, by trio's clock."""
        self._steps = False

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Run the started coroutines until ``close``."""
        if self._loop.is_closed():  # by a module that has run its setup on it
            self._loop = open_loop()
        COMPANION.set(self)
        try:
            with self._life:
                task_status.started()
                while True:
                    await self._wait_due()
                    self.wake()
        finally:
            COMPANION.set(None)
            self._end()

    def fileno(self) -> int:
        """Return the descriptor that is readable while asyncio has something to do."""
        return self._loop.selector.fileno()

    def seconds_left(self) -> float:
        """Return in how many seconds asyncio has something to do in any case."""
        return self._due if self._due == math.inf else self._due - trio.current_time()

    async def _wait_due(self) -> None:
        """Wait until asyncio has something to do."""
        with trio.CancelScope(deadline=self._due) as self._wait:
            await trio.lowlevel.wait_readable(self.fileno())
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Let ``run`` return; it cancels the tasks that still run."""
        self._life.cancel()

    def gate(self) -> Gate:
        """Return a closed gate for coroutines on asyncio."""
        return AsyncioGate(self._loop)

    def start(self, call: Callable[[], Awaitable[None]], ended: Ended) -> Task:
        """Start a coroutine, and run it until it waits."""
        task = start_task(self._loop, call, ended)
        self.wake()
        return task

    def wake(self) -> None:
        """Run asyncio until it would wait, unless this is called from asyncio."""
        if self._steps:
            return
        self._steps = True
        timeout: float | None = 0
        # anyio asks sniffio which library runs, and would take trio for it.
        library, sniffio.thread_local.name = sniffio.thread_local.name, "asyncio"
        try:
            timeout = self._loop.step()
            end_if_child()
        except (SystemExit, KeyboardInterrupt) as error:  # out of a task or a callback
            end_if_child(error)
            log.error("%r in the application was ignored", error)
        finally:
            sniffio.thread_local.name = library
            self._steps = False
        due = math.inf if timeout is None else trio.current_time() + timeout
        if due != self._due:  # trio would sort its deadlines anew
            self._due = self._wait.deadline = due

    def _end(self) -> None:
        """End as ``asyncio.run`` does, but with timeouts."""
        loop = self._loop
        library, sniffio.thread_local.name = sniffio.thread_local.name, "asyncio"
        try:
            if left := asyncio.all_tasks(loop):
                for task in left:
                    task.cancel()
                loop.run_until_complete(asyncio.wait(left, timeout=LAST_TASKS))
            generators = asyncio.wait_for(loop.shutdown_asyncgens(), LAST_TASKS)
            loop.run_until_complete(generators)
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            log.error("the application's loop did not end well", exc_info=error)
        finally:
            sniffio.thread_local.name = library
            asyncio.set_event_loop(None)
            loop.close()


def open_loop() -> SteppedLoop:
    """Return a new loop, which is the current one of this thread."""
    loop = SteppedLoop()
    asyncio.set_event_loop(loop)
    return loop


def start_task(
    loop: asyncio.AbstractEventLoop, call: Callable[[], Awaitable[None]], ended: Ended
) -> asyncio.Task[None]:
    """Start a coroutine as a task of a loop, which calls ``ended`` as its last step."""
    # Not a callback of the task's: that costs one more round of the loop (measured).
    # And it is in the coroutine's context: the log records of a failure then have what
    # the application put there, such as trace ids, and Sentry sees by it that the error
    # was reported before.

    async def contain() -> None:
        try:
            await call()
        except asyncio.CancelledError as error:
            ended(cancelled(error))
        except BaseException as error:
            end_if_child(error)
            if loop.is_closed():  # and leaves behind what did not end in time
                raise
            ended(contained(error))
        else:
            ended(None)

    return loop.create_task(contain())


def keep_child_watcher() -> None:
    """Keep asyncio's child watcher, which subprocesses need before Python 3.14."""
    # It is a part of the policy, and uvloop's, which ``uvloop.install()`` sets, has
    # none:
    # https://github.com/MagicStack/uvloop/issues/112
    own = asyncio.DefaultEventLoopPolicy()
    get = asyncio.events.get_child_watcher

    def get_child_watcher() -> asyncio.AbstractChildWatcher:
        try:
            return get()
        except NotImplementedError:
            return own.get_child_watcher()

    asyncio.events.get_child_watcher = get_child_watcher

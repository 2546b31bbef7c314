"""An asyncio loop that trio steps, so that both run in one thread.

How it works. ``SteppedLoop`` is asyncio's own loop with a selector that never waits:
where asyncio would wait, the loop stops and returns to trio. trio then waits for the
selector's descriptor, and for as long as asyncio would have waited. All of asyncio
works, because it is asyncio.

What was tried. A thread for asyncio costs two changes of threads for each request, and
trio as asyncio's guest as much. trio-asyncio, which runs asyncio's tasks as trio's, is
there for applications that mix both (``host_trio_asyncio``): it has to be patched for
Django, and Python 3.14 can't import it.

Not solved: an application that blocks the thread blocks trio as well. ``watchdog`` says
where it is, and Lambda ends the environment.
"""

import asyncio
import math
import selectors
import sys
import time
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import TypeVar

import sniffio
import trio

from lambda_adapter.app.in_process.asgi.host import (
    Cancelled,
    Ended,
    Gate,
    Task,
    contained,
)
from lambda_adapter.app.in_process.forked import end_if_child
from lambda_adapter.observe.logs import log

T = TypeVar("T")

SHARE = 0.01
"""Seconds for which asyncio may be busy before trio has its turn."""


class Selector(selectors.EpollSelector):
    """Does not wait within a step: it stops the loop, and keeps the timeout."""

    loop: asyncio.AbstractEventLoop
    timeout: float | None = None
    """Seconds until the loop wants to run again; None: only when something is ready."""
    until = 0.0
    """When the step that is under way has used its share."""
    waits = True
    """Whether to wait as any selector does: whenever it is not trio that runs the loop,
    but the application, while it is imported or nested as nest_asyncio allows it."""

    # SelectorKey.data is Any.
    def select(  # type: ignore[explicit-any]
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now."""
        if self.waits:
            return super().select(timeout)
        events = super().select(0)
        if not events and timeout != 0:
            self.timeout = timeout
            self.loop.stop()
        # An application's ``while True: await asyncio.sleep(0)`` would outlast every
        # deadline, because it always has something to do.
        elif time.monotonic() > self.until:
            self.timeout = 0
            self.loop.stop()
        return events


class SteppedLoop(asyncio.SelectorEventLoop):
    """asyncio's loop; ``step`` runs it until it would wait, for ``share`` s at most."""

    def __init__(self, share: float = SHARE) -> None:
        self._share = share
        self.selector = Selector()
        self.selector.loop = self
        super().__init__(self.selector)
        # On the instance: nest_asyncio replaces the methods of a loop's class.
        vars(self)["run_until_complete"] = self._run_nested

    def _run_nested(self, future: Awaitable[T]) -> T:
        """Run until a future is done, and wait for it in the selector."""
        # Called within a step, as nest_asyncio allows it: trio can't have its turn
        # before this returns, so that only the selector is left to wait.
        before = self.selector.waits, vars(self).get("_stopping", False)
        self.selector.waits = True
        vars(self)["_stopping"] = False  # ``stop`` was for the step, not for this
        try:
            return type(self).run_until_complete(self, future)
        finally:
            self.selector.waits, vars(self)["_stopping"] = before

    def step(self) -> float | None:
        """Run until there is nothing to do, or the share of time is used.

        Return the seconds until the next step is due, None if only I/O can make it due.
        """
        selector = self.selector
        selector.until = time.monotonic() + self._share
        selector.waits = False
        try:
            self.run_forever()
        finally:
            selector.waits = True
        return selector.timeout


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
        self._loop = SteppedLoop()
        asyncio.set_event_loop(self._loop)  # what modules find while they are imported
        self._life = trio.CancelScope(shield=True)
        self._wait = trio.CancelScope()
        self._due = math.inf
        """When asyncio has something to do, by trio's clock."""
        self._steps = False

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Run the started coroutines until ``close``."""
        try:
            with self._life:
                task_status.started()
                while True:
                    await self._wait_due()
                    self.wake()
        finally:
            self._end()

    async def _wait_due(self) -> None:
        """Wait until asyncio has something to do."""
        with trio.CancelScope(deadline=self._due) as self._wait:
            await trio.lowlevel.wait_readable(self._loop.selector.fileno())
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
        self._due = math.inf if timeout is None else trio.current_time() + timeout
        self._wait.deadline = self._due

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


def start_task(
    loop: asyncio.AbstractEventLoop, call: Callable[[], Awaitable[None]], ended: Ended
) -> asyncio.Task[None]:
    """Start a coroutine as a task of a loop; call ``ended`` at its end."""
    # Both in one context: the log records of a failure then have what the application
    # put there, such as trace ids, and Sentry sees by it that the error was reported
    # before.
    context = copy_context()

    async def contain() -> None:
        try:
            await call()
        except BaseException as error:
            end_if_child(error)
            if isinstance(error, (SystemExit, KeyboardInterrupt)):
                raise contained(error) from error
            raise

    def tell(task: asyncio.Task[None]) -> None:
        if task.cancelled():
            ended(Cancelled("cancelled"))
        else:
            ended(task.exception())

    task = loop.create_task(contain(), context=context)
    task.add_done_callback(tell, context=context)
    return task


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

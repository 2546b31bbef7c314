"""An ASGI application on trio-asyncio: AWS_LWA_ASGI_LOOP=trio-asyncio.

trio-asyncio runs asyncio's coroutines as trio's tasks, so that an application may mix
both: https://trio-asyncio.readthedocs.io/
"""

import asyncio
import concurrent.futures
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

import sniffio
import trio

from lambda_adapter.app.in_process.asgi.host import Ended, Gate, Task
from lambda_adapter.app.in_process.asgi.host_asyncio import AsyncioGate, start_task
from lambda_adapter.errors import AppImportError
from lambda_adapter.observe.logs import log

try:
    import trio_asyncio
    from trio_asyncio._base import (
        AsyncGeneratorDispatcher,
        BaseTrioEventLoop,
        TrioAsyncioExit,
        TrioExecutor,
    )
except (ImportError, AttributeError) as error:
    version = "{}.{}.{}".format(*sys.version_info)
    raise AppImportError(
        f"trio-asyncio can't be imported by Python {version}: {error}; install it, with"
        " Python 3.13 or older, or set AWS_LWA_ASGI_LOOP=asyncio"
    ) from error

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class TrioAsyncioHost:
    """Runs an application's coroutines as tasks of trio-asyncio's loop."""

    _loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        self._life = trio.CancelScope(shield=True)

    async def run(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Run the started coroutines until ``close``."""
        with self._life:
            async with trio_asyncio.open_loop() as self._loop:
                self._loop.set_exception_handler(log_only)
                task_status.started()
                await trio.sleep_forever()

    def close(self) -> None:
        """Cancel the coroutines that still run, and let ``run`` return."""
        self._life.cancel()

    def gate(self) -> Gate:
        """Return a closed gate for coroutines on trio-asyncio."""
        return AsyncioGate(self._loop)

    def start(self, call: Callable[[], Awaitable[None]], ended: Ended) -> Task:
        """Start a coroutine, in a context in which trio's coroutines find the loop."""
        token = trio_asyncio.current_loop.set(self._loop)
        try:
            return start_task(self._loop, call, ended)
        finally:
            trio_asyncio.current_loop.reset(token)

    def wake(self) -> None:
        """Do nothing: trio runs both sides."""


def run_in_executor(
    loop: asyncio.AbstractEventLoop,
    executor: concurrent.futures.Executor | None,
    func: Callable[[*Ts], T],
    *args: *Ts,
) -> asyncio.Future[T]:
    """Run a function in trio's threads, or in the given executor."""
    # trio-asyncio's own method refuses every executor but its own, and with it
    # asgiref's ``async_to_sync`` within ``sync_to_async``: each request to Django would
    # fail.
    if executor is None or isinstance(executor, TrioExecutor):
        future: asyncio.Future[T] = _run_in_executor(loop, executor, func, *args)
        return future
    return asyncio.wrap_future(executor.submit(func, *args), loop=loop)


_run_in_executor = BaseTrioEventLoop.run_in_executor
BaseTrioEventLoop.run_in_executor = run_in_executor


def log_only(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Log the error of a callback or a task, as asyncio does."""
    # trio-asyncio's own handler raises it in its nursery as well, which would end the
    # environment because of one task that nobody waits for.
    BaseTrioEventLoop.default_exception_handler(loop, context)


async def run_one(loop: asyncio.AbstractEventLoop, no_wait: bool = False) -> None:
    """Run one callback; a ``sys.exit`` in it is only logged, as on asyncio's loop."""
    try:
        await _run_one(loop, no_wait)
    except TrioAsyncioExit:  # the loop's own stop
        raise
    except (SystemExit, KeyboardInterrupt) as error:
        log.error("%r in the application was ignored", error)


_run_one = BaseTrioEventLoop._main_loop_one
BaseTrioEventLoop._main_loop_one = run_one

_compiled: dict[int, asyncio.AbstractEventLoop] = {}
"""The loops of generators that Cython compiled, by the generators' ids."""


def note_loop(dispatcher: AsyncGeneratorDispatcher, generator: object) -> None:
    """Remember on which loop an asynchronous generator is first iterated."""
    # trio-asyncio writes that into the generator's frame. One that Cython compiled has
    # no frame, so that all of BlackSheep's streams would fail.
    #
    # An earlier generator may have had this id.
    _compiled.pop(id(generator), None)
    if hasattr(generator, "ag_frame") or sniffio.thread_local.name != "asyncio":
        _note_loop(dispatcher, generator)
        return
    loop = _compiled[id(generator)] = asyncio.get_running_loop()
    _asyncio_hook(loop, "firstiter")(generator)


def finalize(dispatcher: AsyncGeneratorDispatcher, generator: object) -> None:
    """Finalize an asynchronous generator on its loop."""
    if loop := _compiled.pop(id(generator), None):
        _asyncio_hook(loop, "finalizer")(generator)
    else:
        _finalize(dispatcher, generator)


def _asyncio_hook(
    loop: asyncio.AbstractEventLoop, name: str
) -> Callable[[object], None]:
    """Return the hook of asyncio's own loops that trio-asyncio calls as well."""
    hook: Callable[[object], None] = getattr(loop, f"_asyncgen_{name}_hook")
    return hook


_note_loop = AsyncGeneratorDispatcher.firstiter
_finalize = AsyncGeneratorDispatcher.finalizer
AsyncGeneratorDispatcher.firstiter = note_loop
AsyncGeneratorDispatcher.finalizer = finalize

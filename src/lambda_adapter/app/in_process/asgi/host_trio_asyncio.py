"""An ASGI application on trio-asyncio: AWS_LWA_ASGI_LOOP=trio-asyncio.

trio-asyncio runs asyncio's coroutines as trio's tasks, so that an application may mix
both: https://trio-asyncio.readthedocs.io/
"""

import asyncio
import concurrent.futures
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

import trio

from lambda_adapter.app.in_process.asgi.host import Ended, Gate, Task
from lambda_adapter.app.in_process.asgi.host_asyncio import AsyncioGate, start_task
from lambda_adapter.errors import AppImportError

try:
    import trio_asyncio
    from trio_asyncio._base import BaseTrioEventLoop, TrioExecutor
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
        """Run what is started, until ``close``."""
        with self._life:
            async with trio_asyncio.open_loop() as self._loop:
                task_status.started()
                await trio.sleep_forever()

    def close(self) -> None:
        """Cancel what still runs, and let ``run`` return."""
        self._life.cancel()

    def gate(self) -> Gate:
        """Return a closed gate."""
        return AsyncioGate(self._loop)

    def start(self, call: Callable[[], Awaitable[None]], ended: Ended) -> Task:
        """Start a coroutine, in a context that names its loop for trio's coroutines."""
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
    """Run a function in trio's threads, or in the executor that is named.

    trio-asyncio's own method refuses every executor but its own, and with it asgiref's
    ``async_to_sync`` within ``sync_to_async``: each request to Django fails.
    """
    if executor is None or isinstance(executor, TrioExecutor):
        future: asyncio.Future[T] = _run_in_executor(loop, executor, func, *args)
        return future
    return asyncio.wrap_future(executor.submit(func, *args), loop=loop)


_run_in_executor = BaseTrioEventLoop.run_in_executor
BaseTrioEventLoop.run_in_executor = run_in_executor

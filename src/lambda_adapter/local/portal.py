"""An asynchronous context in a thread of its own, for plain code to use. Shell."""

import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import ParamSpec, TypeVar

import trio

Opened = TypeVar("Opened")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


class Portal:
    """The way into a trio loop that runs in another thread."""

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self._token = token

    def run(
        self,
        function: Callable[Arguments, Awaitable[Result]],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Run a function in the loop, and return what it returns.

        The thread of the caller may run a loop of its own, which is blocked meanwhile:
        that is why this is not ``trio.from_thread.run``.
        """
        future: Future[Result] = Future()

        async def call() -> None:
            try:
                future.set_result(await function(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)
                if not isinstance(error, Exception):
                    raise

        self._token.run_sync_soon(trio.lowlevel.spawn_system_task, call)
        return future.result()

    def call_soon(self, function: Callable[[], None]) -> None:
        """Have the loop call a function, and do not wait for it."""
        self._token.run_sync_soon(function)


@contextmanager
def opened_in_thread(
    context: Callable[[], AbstractAsyncContextManager[Opened]],
) -> Iterator[tuple[Opened, Portal]]:
    """Open a context in a trio loop in a thread; leaving closes both.

    What it raises while it is opened is raised here.
    """
    opened: Future[tuple[Opened, Portal]] = Future()
    closing = trio.Event()

    async def main() -> None:
        async with context() as value:
            portal = Portal(trio.lowlevel.current_trio_token())
            opened.set_result((value, portal))
            await closing.wait()

    def run() -> None:
        try:
            trio.run(main)
        except BaseException as error:
            if opened.done():
                raise
            opened.set_exception(error)

    thread = threading.Thread(target=run, name="lambda-adapter local")
    thread.start()
    try:
        value, portal = opened.result()
    except BaseException:
        thread.join()
        raise
    try:
        yield value, portal
    finally:
        portal.call_soon(closing.set)
        thread.join()

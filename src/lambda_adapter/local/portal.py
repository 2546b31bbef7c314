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
        """Run a function in the loop, and return what it returns."""

        async def call() -> Result:
            return await function(*args, **kwargs)

        return trio.from_thread.run(call, trio_token=self._token)


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
        portal.run(_set, closing)
        thread.join()


async def _set(event: trio.Event) -> None:
    event.set()

"""Handle SIGTERM and SIGINT, and call the application's own handlers.

An application in this process may also set handlers, while it is imported or during its
startup. A process has only one handler for each signal, so the adapter's replaces the
application's and calls it: that of an event loop immediately, any other one after
everything else has shut down, since it may raise or exit, as uvicorn's does.
"""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Self

import trio

from lambda_adapter.observe.logs import log

ENDING = (signal.SIGTERM, signal.SIGINT)

LOOPS = frozenset({"asyncio", "trio", "trio_asyncio"})
"""Packages whose handlers only pass a signal on to their loop, which must still run."""

INTERRUPTS = "trio._core._ki"
"""The module of trio's handler for SIGINT. It raises KeyboardInterrupt in whatever code
is running, so it is replaced like Python's own."""

Handler = Callable[[int, FrameType | None], object] | int | None
"""What ``signal.getsignal`` returns."""


class Signals:
    """Waits for a signal that ends the environment; a context manager.

    Create it after the application is imported, and before trio runs.
    """

    received: int | None = None

    def __init__(self) -> None:
        self._theirs: dict[int, Handler] = {}
        # If a wakeup descriptor is set, it is asyncio's ``add_signal_handler`` that
        # needs it. trio would replace it, so it is kept and set again in ``__enter__``.
        self._wakeup = signal.set_wakeup_fd(-1)
        self._masks = threading.local()
        # A signal that arrives in a forked child before ``_let_go`` would be lost,
        # since Python clears pending signals after a fork. Blocked until then, it
        # reaches the handler that ``_let_go`` has restored.
        os.register_at_fork(
            before=self._hold_back,
            after_in_parent=self._release,
            after_in_child=self._let_go,
        )

    def __enter__(self) -> Self:
        """Install the handlers; trio must be running."""
        self._token = trio.lowlevel.current_trio_token()
        self._ending = trio.Event()
        if self._wakeup != -1:
            signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the application's handlers."""
        self._give_back()

    def take(self) -> None:
        """Install the handlers again, replacing any that the application set since."""
        for number in ENDING:
            if signal.getsignal(number) != self._note:
                self._theirs[number] = signal.signal(number, self._note)

    async def wait(self) -> None:
        """Wait for one of the signals."""
        await self._ending.wait()
        log.info("ending on %s", signal.Signals(self.received or 0).name)

    def pass_on(self) -> None:
        """Call the application's own handler, after everything has shut down.

        Raises:
            BaseException: whatever the handler raises, often SystemExit.
        """
        if self.received is not None:
            handler = self._theirs.get(self.received)
            if _is_of_an_application(handler):
                signal.raise_signal(self.received)

    def _note(self, number: int, frame: FrameType | None) -> None:
        handler = self._theirs.get(number)
        if callable(handler) and _is_of_a_loop(handler):
            handler(number, frame)
        if self.received is None:
            self.received = number
            self._token.run_sync_soon(self._ending.set)

    def _hold_back(self) -> None:
        self._masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

    def _release(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.before)

    def _let_go(self) -> None:
        """Restore the handlers in a forked child, so that SIGTERM ends it.

        It also must not write to the socket that wakes this process's loop.
        """
        self._give_back()
        signal.set_wakeup_fd(-1)
        self._release()

    def _give_back(self) -> None:
        for number, handler in self._theirs.items():
            if signal.getsignal(number) == self._note:
                signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _is_of_an_application(handler: Handler) -> bool:
    if not callable(handler) or handler is signal.default_int_handler:
        return False
    return _package(handler) not in LOOPS


def _is_of_a_loop(handler: object) -> bool:
    return _package(handler) in LOOPS and _module(handler) != INTERRUPTS


def _package(handler: object) -> str:
    return _module(handler).partition(".")[0]


def _module(handler: object) -> str:
    return str(getattr(handler, "__module__", ""))

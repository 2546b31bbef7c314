"""SIGTERM and SIGINT: the end of the environment, and the application's own handlers.

An application in this process may have handlers as well, set while it is imported or
within its startup. A process has one for each signal, so the adapter's takes its place
and theirs is called: a loop's own at once, any other at the end of all, where it may
raise or exit, as uvicorn does.
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
"""Packages whose handlers only pass a signal on, to a loop that must still run."""

Handler = Callable[[int, FrameType | None], object] | int | None
"""What ``signal.getsignal`` returns."""


class Signals:
    """Waits for a signal that ends the environment, inside ``with``.

    Made where the application is imported, and before trio runs.
    """

    received: int | None = None

    def __init__(self) -> None:
        self._theirs: dict[int, Handler] = {}
        # asyncio's own ``add_signal_handler`` has set it, if anything has; trio would
        # replace it.
        self._wakeup = signal.set_wakeup_fd(-1)
        self._masks = threading.local()
        # A signal that comes before the child has let go would be lost: its Python
        # forgets what came before. Held back, it meets the handler that it should.
        os.register_at_fork(
            before=self._hold_back,
            after_in_parent=self._release,
            after_in_child=self._let_go,
        )

    def __enter__(self) -> Self:
        """Take the signals, within trio."""
        self._token = trio.lowlevel.current_trio_token()
        self._ending = trio.Event()
        if self._wakeup != -1:
            signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back."""
        self._give_back()

    def take(self) -> None:
        """Take the signals, also from what the application has set meanwhile."""
        for number in ENDING:
            if signal.getsignal(number) != self._note:
                self._theirs[number] = signal.signal(number, self._note)

    async def wait(self) -> None:
        """Wait for one of them."""
        await self._ending.wait()
        log.info("ending on %s", signal.Signals(self.received or 0).name)

    def pass_on(self) -> None:
        """Have the application's own handler called, at the end of all.

        Raises:
            BaseException: what it raises, often SystemExit.
        """
        if self.received is not None:
            handler = self._theirs.get(self.received)
            if _is_of_an_application(handler):
                signal.raise_signal(self.received)

    def _note(self, number: int, frame: FrameType | None) -> None:
        handler = self._theirs.get(number)
        if callable(handler) and _package(handler) in LOOPS:
            handler(number, frame)
        if self.received is None:
            self.received = number
            self._token.run_sync_soon(self._ending.set)

    def _hold_back(self) -> None:
        self._masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

    def _release(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.before)

    def _let_go(self) -> None:
        """Give a forked child what this process had: it must end on SIGTERM.

        Nor may it write into the socket that wakes this process's loop.
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


def _package(handler: object) -> str:
    return str(getattr(handler, "__module__", "")).partition(".")[0]

"""An asyncio loop that runs step by step, and never waits.

``run_forever`` sets up and tears down, and looks at timers and descriptors in each of
its rounds: with it, steps are a quarter of an invocation (measured). So a step has a
way of its own as long as there are no timers: what is ready runs, then there is one
look at the descriptors, and so on. That takes private names of asyncio's; nest_asyncio
relies on the same ones. Where one is missing, where an application has replaced
``run_forever``, in debug mode, and with timers, ``run_forever`` runs, and is stopped
where it would wait.
"""

import asyncio
import selectors
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

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
        events = self.select_now()
        if not events and timeout != 0:
            self.timeout = timeout
            self.loop.stop()
        # An application's ``while True: await asyncio.sleep(0)`` would outlast every
        # deadline, because it always has something to do.
        elif time.monotonic() > self.until:
            self.timeout = 0
            self.loop.stop()
        return events

    # SelectorKey.data is Any.
    def select_now(  # type: ignore[explicit-any]
        self,
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now, without any effect on the loop."""
        return super().select(0)


RUN_FOREVER = asyncio.BaseEventLoop.run_forever

PRIVATE = (
    *("_asyncgen_finalizer_hook", "_asyncgen_firstiter_hook", "_process_events"),
    *("_ready", "_scheduled", "_stopping", "_thread_id"),
)
"""The names of asyncio's that a step takes which ``run_forever`` does not run."""


class SteppedLoop(asyncio.SelectorEventLoop):
    """asyncio's loop; ``step`` runs it until it would wait, for ``share`` s at most."""

    _asyncgen_finalizer_hook: Callable[[object], None]
    _asyncgen_firstiter_hook: Callable[[object], None]
    # SelectorKey.data is Any.
    _process_events: Callable[  # type: ignore[explicit-any]
        [list[tuple[selectors.SelectorKey, int]]], None
    ]
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _stopping: bool
    _thread_id: int | None

    def __init__(self, share: float = SHARE) -> None:
        self._share = share
        self.selector = Selector()
        self.selector.loop = self
        super().__init__(self.selector)
        # On the instance: nest_asyncio replaces the methods of a loop's class.
        vars(self)["run_until_complete"] = self._run_nested
        self._has_names = all(hasattr(self, name) for name in PRIVATE)

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
            if self.is_lean and not self._scheduled:
                due = self._run_ready()
                if not self._scheduled:
                    return due
            selector.timeout = 0  # unless the selector is what stops it
            self.run_forever()
        finally:
            selector.waits = True
        return selector.timeout

    @property
    def is_lean(self) -> bool:
        """Whether a step without timers takes a way of its own, not ``run_forever``."""
        return (
            self._has_names
            and type(self).run_forever is RUN_FOREVER
            and not self.get_debug()
        )

    def _run_ready(self) -> float | None:
        """Run what is ready, with all in place that ``run_forever`` puts there."""
        hooks = sys.get_asyncgen_hooks()
        self._thread_id = threading.get_ident()
        sys.set_asyncgen_hooks(
            self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook
        )
        asyncio._set_running_loop(self)
        try:
            return self._run_rounds()
        finally:
            self._stopping = False
            self._thread_id = None
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def _run_rounds(self) -> float | None:
        """Run rounds until nothing is ready, there is a timer, or the share is used."""
        # As in asyncio's own rounds, what is ready runs once between two looks at the
        # descriptors, so that neither keeps the other waiting.
        while True:
            self._run_round()
            if self._stopping or self._scheduled:
                return 0
            self._process_events(self.selector.select_now())
            if not self._ready:
                return None
            if time.monotonic() > self.selector.until:
                return 0

    def _run_round(self) -> None:
        ready = self._ready
        for _ in range(len(ready)):
            if not ready:  # a nested run has taken the rest
                return
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

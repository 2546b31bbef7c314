"""asyncio's own event loop, as one that trio can run step by step.

Where asyncio would wait in its selector, its loop stops instead, and trio waits: for
the selector's own descriptor, and for as long as asyncio would have. Shell.
"""

import asyncio
import selectors
import time

SHARE = 0.01
"""Seconds for which asyncio may be busy until trio has its turn. Without that, an
application's ``while True: await asyncio.sleep(0)`` would outlast every deadline."""


class Selector(selectors.EpollSelector):
    """Never waits: where its loop would, it is stopped and the time is noted."""

    loop: asyncio.AbstractEventLoop
    timeout: float | None = None
    """Seconds until the loop wants to run again; None: only when something is ready."""
    until = 0.0
    """When the step that is under way has used its share."""
    waits = False
    """Whether to wait as any selector does: once there is no trio any more."""

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

    def step(self) -> float | None:
        """Run until there is nothing to do, or the share of time is used.

        Return in how many seconds to run again, None if only on what becomes ready.
        """
        self.selector.until = time.monotonic() + self._share
        self.run_forever()
        return self.selector.timeout

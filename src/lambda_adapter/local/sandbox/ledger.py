"""What time went to: work, a queue for this machine's processors, or a wait. Core."""

from collections import deque

KEPT = 1_000
"""Intervals that a queue's time can still be taken off: 20 s where nothing is late."""


class Ledger:
    """Sums up intervals, one after the other."""

    def __init__(self) -> None:
        self.waiting_seconds = 0.0
        """In which no thread had anything to run."""
        self.queued_seconds = 0.0
        """In which threads could run, and this machine was busy with other things."""
        self._recent: deque[tuple[float, float]] = deque(maxlen=KEPT)
        """The length of each interval, and how much of it seems to be a wait."""

    def add(self, seconds: float, idle: float, queued: float) -> None:
        """Add an interval of which ``idle`` seconds were neither work nor a stop.

        The kernel counts a thread's time in the queue once the thread runs. So
        ``queued`` seconds have ended in this interval and may have begun before it:
        what seemed to be a wait meanwhile was none.
        """
        self._recent.append((seconds, max(idle, 0.0)))
        self.waiting_seconds += max(idle, 0.0)
        place = len(self._recent) - 1
        while queued > 0 and place >= 0:
            length, still_idle = self._recent[place]
            taken = min(queued, still_idle)
            self._recent[place] = (length, still_idle - taken)
            self.waiting_seconds -= taken
            self.queued_seconds += taken
            queued -= length
            place -= 1

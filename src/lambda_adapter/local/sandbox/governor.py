"""Enforce CPU, memory and the freeze from outside, by signals.

A budget of CPU time fills at the function's share, and the processes' use empties it;
while it is empty they are stopped. Only the governor stops and continues them, so
that slices and freezes never undo each other.
"""

import threading
import time

from lambda_adapter.local.sandbox.ledger import Ledger
from lambda_adapter.local.sandbox.process_tree import ProcessTree

TICK = 0.005
"""Seconds between two readings of CPU and memory."""

BURST = 0.02
"""Seconds of the function's share that may be saved up: about a period of Lambda's
(https://docs.kernel.org/scheduler/sched-bwc.html has 0.1 s as its default)."""

CATCH_UP = 0.5
"""Most seconds of the share to make up for after this machine was busy."""

LOOK = 0.02
"""Seconds between two searches for new processes."""

IDLE_LOOK = 0.1
"""The same while no process runs: then none is started, and no memory is taken."""

MB = 1_048_576


class Governor(threading.Thread):
    """Limits a process tree to its share of CPU and memory."""

    def __init__(self, root: int, memory_mb: int, share: float) -> None:
        super().__init__(name="lambda-adapter sandbox governor", daemon=True)
        self._tree = ProcessTree(root)
        self._limit = memory_mb * MB
        self._share = share
        self._lock = threading.Lock()
        self._ended = False
        self._frozen = False
        self._stopped = False
        self._budget = share * BURST
        self._began = self._at = time.monotonic()
        self._largest_rss = 0
        self.cpu_seconds = 0.0
        """CPU seconds used by all processes so far."""
        self.peak_bytes = 0
        """Peak memory in bytes; shared memory counts once."""
        self.peak_threads = 0
        self.waiting_seconds = 0.0
        """Seconds in which no process had work, until ``end_init``."""
        self._ledger = Ledger()
        self._stopped_seconds = 0.0
        self._accounted = (0.0, 0.0)
        self._in_init = True
        self.killed = ""
        """Why the tree was killed, or ""."""

    @property
    def queued_seconds(self) -> float:
        """For how long threads waited for a CPU of this machine, which is busy."""
        return self._ledger.queued_seconds

    @property
    def elapsed(self) -> float:
        """Seconds since the processes were confined."""
        return time.monotonic() - self._began

    def end_init(self, share: float) -> None:
        """Change the share: Lambda may grant more CPU during the init."""
        with self._lock:
            self._share = share
            self._in_init = False

    def freeze(self) -> None:
        """Stop every process until ``thaw``."""
        with self._lock:
            self._frozen = True
            self._tree.look()
            self._tree.stop()

    def thaw(self) -> None:
        """Let every process continue, with a full budget."""
        with self._lock:
            self._frozen = self._stopped = False
            self._at = time.monotonic()
            self._budget = self._share * BURST
            self._tree.go_on()

    def close(self) -> None:
        """End the governor; stopped processes continue."""
        self._ended = True
        self.join()
        self._tree.go_on()

    def run(self) -> None:
        """Measure, stop, continue and kill until closed."""
        looked = 0.0
        while not self._ended:
            time.sleep(self._pause())  # an Event's wait takes as long as all the rest
            now = time.monotonic()
            with self._lock:
                if self._frozen:
                    looked = 0.0
                    continue
                ran = self._meter(now) > 0
                if now - looked >= (LOOK if ran else IDLE_LOOK):
                    self._tree.look()
                    self._account(now - looked if looked else 0.0)
                    looked = now
                if ran:
                    self._weigh()

    def _pause(self) -> float:
        """Return the seconds to the next measurement, fewer if the budget is full."""
        if self._stopped and self._budget < 0:
            return max(min(-self._budget / self._share, 0.1), 0.001)
        return TICK

    def _account(self, seconds: float) -> None:
        """Say of the time since the last look what it was: work, a queue, or a wait."""
        self.peak_threads = max(self.peak_threads, self._tree.threads())
        queued = self._tree.queued_delta()
        used = self.cpu_seconds - self._accounted[0]
        stopped = self._stopped_seconds - self._accounted[1]
        self._accounted = (self.cpu_seconds, self._stopped_seconds)
        idle = seconds - used - stopped
        if idle > max(queued, 0.0) and self._tree.wants_to_run():
            queued = idle  # the kernel says so only once the thread runs
        self._ledger.add(seconds, idle, queued)
        if self._in_init:
            self.waiting_seconds = self._ledger.waiting_seconds

    def _meter(self, now: float) -> float:
        """Stop and continue the tree by its budget; return the CPU seconds used."""
        used = self._tree.cpu_delta()
        self.cpu_seconds += used
        earned = (now - self._at) * self._share
        if self._stopped:
            self._stopped_seconds += now - self._at
        self._at = now
        # What is earned while stopped is wanted: late looks must not lose any of it.
        saved = CATCH_UP if self._stopped else BURST
        most = max(self._share * saved, TICK / 2)
        self._budget = min(self._budget + earned - used, most)
        if self._budget < 0 and not self._stopped:
            self._stopped = True
            self._tree.stop()
        elif self._budget >= 0 and self._stopped:
            self._stopped = False
            self._tree.go_on()
        return used

    def _weigh(self) -> None:
        """Kill the tree if it exceeds its memory.

        The sum of resident sets is cheap and never too small. The proportional sets,
        for which the kernel walks page tables, are read only near the limit.
        """
        rss = self._tree.resident_bytes()
        if rss < self._largest_rss + MB and rss <= self._limit:
            return
        self._largest_rss = max(self._largest_rss, rss)
        bytes_ = self._tree.proportional_bytes()
        self.peak_bytes = max(self.peak_bytes, bytes_)
        if bytes_ > self._limit and not self.killed:
            used, allowed = bytes_ // MB, self._limit // MB
            self.killed = f"used {used} MB of {allowed} MB"
            self._tree.kill()

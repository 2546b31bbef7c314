"""Send many requests, and measure what grows with them."""

from collections.abc import AsyncIterator, Callable

import msgspec
import psutil
import trio

from lambda_adapter.local import processes
from lambda_adapter.local.check.finding import Finding
from lambda_adapter.local.check.rules.causes import find_cause
from lambda_adapter.local.check.rules.disk import judge_tmp
from lambda_adapter.local.check.rules.requests import judge_crash, judge_failed
from lambda_adapter.local.check.rules.resources import Weight, judge_growth
from lambda_adapter.local.check.settings import Target
from lambda_adapter.local.check.stages.idle import application, programs
from lambda_adapter.local.check.subject import Subject

MIN_REQUESTS = 100
"""Minimum requests that show growth, for which there is twice the time."""

STEPS = 10
"""How often to measure the processes while requests are sent."""

ENOUGH = 450
"""Requests up to which a check goes on while memory seems to leak. A heap that warms up
stops growing, but not soon: V8's young generation may grow to 32 MB
(https://nodejs.org/api/cli.html#--max-semi-space-sizesize-in-mib)."""

SLOW = 0.5
"""Seconds of a page beyond which it is not requested many times."""


async def grow(
    subject: Subject, progress: Callable[[str], None]
) -> AsyncIterator[Finding]:
    """Send many requests, and measure what grows with them."""
    limit_mb = subject.settings.memory_mb
    is_java = "java" in await trio.to_thread.run_sync(programs, subject)
    sending = _Sending(subject, progress)
    governor = subject.jail.governor
    used = governor.cpu_seconds if governor else 0.0
    await sending.weigh()
    found: list[Finding] = []
    while not sending.ended:
        await sending.send()
        found = list(judge_growth(sending.weights, limit_mb, is_java=is_java))
        leaks = any(each.kind == "leak" and each.cure for each in found)
        if not leaks or sending.number >= ENOUGH:
            break
    if governor and sending.number:
        subject.request_cpu = (governor.cpu_seconds - used) / sending.number
    weights = sending.weights
    subject.weights = [(each.requests, each.memory_mb) for each in weights]
    for finding in (*sending.failures, *found):
        yield finding
    first, last = weights[len(weights) // 2], weights[-1]
    asked = max(last.requests - first.requests, 1)
    growth = (last.tmp_mb - first.tmp_mb) / asked
    for finding in judge_tmp(last.tmp_mb, subject.settings.tmp_mb, growth):
        yield finding


class _Sending:
    """Requests in rounds, with the processes' resources meanwhile."""

    def __init__(self, subject: Subject, progress: Callable[[str], None]) -> None:
        self._subject = subject
        self._progress = progress
        self._first_line = len(subject.log.lines)
        self._paths, self._are_fast = _paths(subject)
        self.weights: list[Weight] = []
        self.number = 0
        """Requests so far."""
        self.ended = False
        """Whether a request failed, or the time was over."""
        self.failures: list[Finding] = []

    async def weigh(self) -> None:
        """Measure the processes."""
        weight = await trio.to_thread.run_sync(_weigh, self._subject, self.number)
        self.weights.append(weight)

    async def send(self) -> None:
        """Send a round of requests."""
        pace = self._subject.settings.pace
        until = trio.current_time() + pace.growth
        last = self.number + pace.requests
        while self.number < last:
            over = trio.current_time() - until
            if over > pace.growth or (over > 0 and self.number > MIN_REQUESTS):
                self.ended = True
                return
            path = self._paths[self.number % len(self._paths)]
            outcome = await self._subject.ask(Target(path))
            self.number += 1
            if outcome.status >= 500:
                self.ended = True
                if outcome.late and not self._are_fast:
                    return  # it is a finding already
                self.failures = _judge_failure(
                    self._subject, path, outcome.status, self._first_line
                )
                return
            if self.number % (pace.requests // STEPS) == 0:
                self._progress(f"request {self.number} of {last}")
                await self.weigh()


def _paths(subject: Subject) -> tuple[list[str], bool]:
    """Return the paths to request: of small pages, and fast ones if there are any."""
    pages = [
        (path, page.seconds)
        for path, page in subject.pages.items()
        if page.status < 500 and len(page.body) < 500_000
    ]
    fast = [path for path, seconds in pages if seconds < SLOW]
    known = fast or [path for path, _ in pages]
    return known[:10] or [subject.options.config.readiness_path], bool(fast)


def _judge_failure(
    subject: Subject, path: str, status: int, first_line: int
) -> list[Finding]:
    cause = find_cause(subject.log.lines[first_line:])
    line = cause.line if cause else ""
    governor = subject.jail.governor
    if governor and governor.killed:
        return []
    if not subject.environment.alive:
        return [judge_crash(path, "", line)]
    found = judge_failed(path, status, line)
    if cause and cause.kind in ("tmp", "descriptors", "processes", "memory"):
        found = msgspec.structs.replace(found, kind=cause.kind)
    if cause and cause.kind == "memory":
        cure = "find what is kept, or a larger MemorySize"
        found = msgspec.structs.replace(found, cure=cure)
    return [found]


def _weigh(subject: Subject, requests: int) -> Weight:
    memory = 0.0
    descriptors = threads = 0
    tree = application(subject)
    for process in tree:
        try:
            threads += process.num_threads()
            memory += _proportional_mb(process)
            descriptors += process.num_fds()
        except (*processes.GONE, OSError):
            threads += 1  # a zombie
    jail = subject.environment.jail
    tmp = jail.tmp_used_mb() if jail else 0
    return Weight(requests, memory, descriptors, threads, tmp, len(tree))


def _proportional_mb(process: psutil.Process) -> float:
    info = process.memory_full_info()
    return float(getattr(info, "pss", 0) or info.rss) / 1_048_576

"""Running checks of the zoo, several at once: they wait for most of their time.

Each is in a process of its own, as a user's is: in one process they would wait for
each other, which changes what a check measures.
"""

import os
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio.to_process
import msgspec
import trio

from lambda_adapter.local.check.finding import Status
from lambda_adapter.local.check.prepare import make
from lambda_adapter.local.check.result import Result
from lambda_adapter.local.check.run import Check
from lambda_adapter.local.check.settings import FULL, QUICK, CheckSettings, Pace, Target
from lambda_adapter.local.option_table import Given
from tests.zoo.specimens import Specimen, build, copy

AT_ONCE = 16

LONGEST = (
    *("readiness_slow", "worker_not_replaced", "late_one_worker", "work_after_node"),
    *("start_cpu", "java_one_thread"),
)
"""They take up to a minute, and begin first: the others end meanwhile."""


class Outcome(msgspec.Struct):
    """What a check has said of an application."""

    specimen: Specimen
    result: Result
    seconds: float
    error: str = ""

    @property
    def first(self) -> str:
        """The kind of the first finding that is not a pass."""
        found = [each for each in self.result.ordered if each.status != Status.PASS]
        return found[0].kind if found else ""

    @property
    def failures(self) -> int:
        return sum(x.status == Status.FAILURE for x in self.result.findings)

    @property
    def warnings(self) -> int:
        return sum(x.status == Status.WARNING for x in self.result.ordered)

    @property
    def good(self) -> bool:
        """Whether the right finding is the first, or a healthy one is left alone."""
        if self.specimen.kinds:
            return self.first in self.specimen.kinds
        return not self.failures and self.warnings <= 1 and self.result.complete


def check_one(specimen: Specimen, source: Path, folder: Path, pace: Pace) -> Outcome:
    """Check one application, in a copy of it."""
    return trio.run(_check, specimen, copy(specimen, source, folder), pace)


async def _check(specimen: Specimen, place: Path, pace: Pace) -> Outcome:
    began = time.monotonic()
    settings = CheckSettings(pace=pace, targets=tuple(map(Target, specimen.paths)))
    given = Given(memory=settings.memory_mb)
    environ = os.environ | specimen.environ
    options = make(specimen.command, given, settings, environ, str(place))
    check = Check(options, settings, lambda _: None)
    error = ""
    try:
        with trio.move_on_after(600):
            await check.run()
    except Exception as group:
        error = "".join(traceback.format_exception(group))
    return Outcome(specimen, check.result, time.monotonic() - began, error)


async def check_all(
    specimens: Sequence[Specimen],
    folder: Path,
    *,
    quick: bool,
    told: Callable[[Outcome], None] = lambda _: None,
    at_once: int = AT_ONCE,
) -> list[Outcome]:
    """Check several applications, and return the outcomes in their order."""
    outcomes: dict[str, Outcome] = {}
    limiter = anyio.CapacityLimiter(at_once)
    pace = QUICK if quick else FULL
    sources = await _build_all(specimens, folder)
    waiting = deque(sorted(specimens, key=lambda each: each.name not in LONGEST))

    async def work() -> None:
        while waiting:
            specimen = waiting.popleft()
            source = sources.get(specimen.folder, specimen.folder)
            outcome = await anyio.to_process.run_sync(
                check_one, specimen, source, folder, pace, limiter=limiter
            )
            outcomes[specimen.name] = outcome
            told(outcome)

    async with trio.open_nursery() as nursery:
        for _ in range(at_once):
            nursery.start_soon(work)
    return [outcomes[each.name] for each in specimens]


async def _build_all(specimens: Sequence[Specimen], folder: Path) -> dict[Path, Path]:
    """Build each program once, and return where, by the folder of its source."""
    built: dict[Path, Path] = {}

    async def one(specimen: Specimen) -> None:
        place = await trio.to_thread.run_sync(build, specimen, folder)
        built[specimen.folder] = place

    async with trio.open_nursery() as nursery:
        for each in {x.folder: x for x in specimens if x.build}.values():
            nursery.start_soon(one, each)
    return built

"""Running checks of the zoo, several at once: they wait for most of their time.

Each is in a process of its own, as a user's is: in one process they would wait for
each other, which changes what a check measures.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio.to_process
import msgspec
import trio

from lambda_adapter.local.check.finding import Status
from lambda_adapter.local.check.prepare import make
from lambda_adapter.local.check.result import Result
from lambda_adapter.local.check.run import Check
from lambda_adapter.local.check.settings import FULL, QUICK, CheckSettings, Target
from lambda_adapter.local.option_table import Given
from tests.zoo.specimens import Specimen, copy

AT_ONCE = 8


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


def check_one(specimen: Specimen, folder: Path, quick: bool) -> Outcome:
    """Check one application."""
    return trio.run(_check, specimen, folder, quick)


async def _check(specimen: Specimen, folder: Path, quick: bool) -> Outcome:
    began = time.monotonic()
    settings = CheckSettings(
        pace=QUICK if quick else FULL,
        targets=tuple(map(Target, specimen.paths)),
    )
    place = copy(specimen, folder)
    given = Given(memory=settings.memory_mb)
    environ = os.environ | specimen.environ
    options = make(specimen.command, given, settings, environ, str(place))
    check = Check(options, settings, lambda _: None)
    error = ""
    try:
        with trio.move_on_after(600):
            await check.run()
    except Exception as group:
        import traceback

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

    async def one(specimen: Specimen) -> None:
        outcome = await anyio.to_process.run_sync(
            check_one, specimen, folder, quick, limiter=limiter
        )
        outcomes[specimen.name] = outcome
        told(outcome)

    async with trio.open_nursery() as nursery:
        for specimen in specimens:
            nursery.start_soon(one, specimen)
    return [outcomes[each.name] for each in specimens]

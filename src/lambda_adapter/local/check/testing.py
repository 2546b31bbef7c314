"""Run a check within a test, for the fixture ``lambda_check``."""

import os
import shlex
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import trio

from lambda_adapter.local.check.finding import Finding
from lambda_adapter.local.check.prepare import make
from lambda_adapter.local.check.report import text
from lambda_adapter.local.check.result import Result
from lambda_adapter.local.check.run import Check
from lambda_adapter.local.check.settings import FULL, QUICK, CheckSettings, Target
from lambda_adapter.local.option_table import Given


class Checked:
    """The result of a check; its text is the report."""

    def __init__(self, result: Result) -> None:
        self._result = result

    @property
    def failed(self) -> bool:
        """Whether any finding is a failure."""
        return self._result.failed

    @property
    def findings(self) -> list[Finding]:
        """The findings, failures first."""
        return self._result.ordered

    def __repr__(self) -> str:
        return "\n".join(text.lines(self._result))


def check_app(
    command: str | Sequence[str],
    *,
    memory: int = 512,
    paths: Sequence[str] = (),
    quick: bool = True,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Checked:
    """Check an application, and return the result.

    Raises:
        SetupError: it can't be run.
    """
    words = shlex.split(command) if isinstance(command, str) else command
    settings = CheckSettings(
        pace=QUICK if quick else FULL,
        targets=tuple(map(Target, paths)),
        memory_mb=memory,
    )
    given = Given(memory=memory)
    options = make(words, given, settings, {**os.environ, **(env or {})}, cwd)
    checking = Check(options, settings, lambda _: None)
    # In a thread of its own, since the test may run in a loop.
    with ThreadPoolExecutor(1) as pool:
        return Checked(pool.submit(trio.run, checking.run).result())

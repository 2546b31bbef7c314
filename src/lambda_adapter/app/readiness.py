"""Wait until the application is ready for its first request."""

import contextlib
import math
from collections.abc import Callable
from typing import Protocol

import trio

from lambda_adapter.app.process import EXITED_0, FOREGROUND
from lambda_adapter.app.readiness_checks import Check, Checks, Stage
from lambda_adapter.config import Config
from lambda_adapter.errors import AppNotReadyError
from lambda_adapter.http.connect import Knocker
from lambda_adapter.observe.logs import log

INTERVAL = 0.01
"""Seconds between two checks, as long as there is no response."""

SHARE = 1 / 8
"""Pause after an unhealthy response, as a fraction of the time since the first one. It
grows because applications log each check. A warm-up takes longer by at most this
part."""

LONGEST_PAUSE = 1.0
"""Longest pause between two checks, in seconds."""

FIRST_LIMIT = 1.0
"""Seconds until a second check is sent beside the first one, which goes on. The time to
the next one doubles each time: a lost response is requested again soon, and a server
with one worker, which handles one check after the other, has few to handle."""

LAST_LIMIT = 8.0
"""Longest time from one check without a response to the next, in seconds."""

FIRST_REPORT = 2.0
"""Seconds until the log says why the application is not ready; each report doubles the
time to the next."""


INIT_REPORT = 8.0
"""Seconds after which reports mention the timeout of Lambda's init."""


class Process(Protocol):
    """A process that may exit before it is ready."""

    @property
    def pid(self) -> int:
        """The pid."""

    def ended(self) -> str | None:
        """Return how it exited, in words, or None while it runs."""


def _ignore(_seen: str) -> None:
    """Do nothing with what a check saw."""


async def wait_app_ready(
    config: Config, process: Process | None, note: Callable[[str], None] = _ignore
) -> float:
    """Wait until a check succeeds; return how many seconds that check took.

    ``note`` is called with what each other check saw.

    Raises:
        AppNotReadyError: the application exited, or was not ready before the timeout.
    """
    failure: AppNotReadyError | None = None
    seconds = 0.0
    with contextlib.closing(Knocker(config.readiness_address)) as knocker:
        async with trio.open_nursery() as nursery:
            checks = Checks(config, knocker, nursery)
            try:
                seconds = await _wait_ready(config, process, checks, note)
            except AppNotReadyError as error:  # raised alone, not in a group
                failure = error
            nursery.cancel_scope.cancel()
    if failure:
        raise failure
    return seconds


async def _wait_ready(
    config: Config,
    process: Process | None,
    checks: Checks,
    note: Callable[[str], None],
) -> float:
    started = trio.current_time()
    first_response = math.inf
    report = FIRST_REPORT
    limit = FIRST_LIMIT
    while not (check := await checks.check_within(limit)).is_ready:
        note(check.seen)
        now = trio.current_time()
        waited = now - started
        if check.is_late:
            limit = min(limit * 2, LAST_LIMIT)
        _raise_if_over(config, process, waited, check)
        if waited >= report:
            _log_not_ready(config, process, waited, check)
            report *= 2 ** math.ceil(math.log2(waited / report) + 0.01)
        # An application that responds logs each check: 100 lines a second would hide
        # its own. One that does not yet respond logs nothing, and is asked often.
        pause = INTERVAL
        if check.was_answered:
            first_response = min(first_response, now)
            share = (now - first_response) * SHARE
            pause = max(INTERVAL, min(share, LONGEST_PAUSE))
        await trio.sleep(pause)
    waited = trio.current_time() - started
    log.info("the application is ready after %.0f ms (%s)", waited * 1000, check.seen)
    return check.seconds


def _raise_if_over(
    config: Config, process: Process | None, waited: float, check: Check
) -> None:
    """Raise an error if the application has exited, or its time is over.

    Raises:
        AppNotReadyError: the application won't become ready.
    """
    wrapper = config.app_wrapper
    # After an exit, a refused connection is left out of the message: it explains
    # nothing.
    if process and (how := process.ended()):
        if how == EXITED_0:
            how = f"{how} ({FOREGROUND})"
        through = f" (started through {wrapper})" if wrapper else ""
        last = f"; last check: {check.seen}"
        if check.stage is Stage.CONNECTING:
            last = ""
        raise AppNotReadyError(
            f"the application{through} {how} before it was ready; its own lines in the"
            f" log may say why{last}"
        )
    if config.readiness_timeout and waited >= config.readiness_timeout:
        raise AppNotReadyError(
            f"the application was not ready within {config.readiness_timeout:g} s; last"
            f" check: {check.seen}; {advise(config, process, check)}"
        )


def _log_not_ready(
    config: Config, process: Process | None, waited: float, check: Check
) -> None:
    advice = advise(config, process, check)
    if waited >= INIT_REPORT and not config.inits_async:
        advice += (
            "; Lambda's init has 10 s, and AWS_LWA_ASYNC_INIT=true lets it end before"
            " the application is ready"
        )
    log.warning(
        "the application is not ready after %.0f s: %s; %s", waited, check.seen, advice
    )


def advise(config: Config, process: Process | None, check: Check) -> str:
    """Return what to do, depending on how far the check got."""
    from lambda_adapter.app import readiness_advice

    match check.stage:
        case Stage.CONNECTING:
            pid = process.pid if process else None
            return readiness_advice.advise_on_address(config, pid)
        case Stage.WAITING:
            return readiness_advice.SILENCE
        case Stage.READING:
            return readiness_advice.advise_on_protocol(config)
        case Stage.RESPONDED:
            return readiness_advice.STATUS

"""Run a whole check: start, request, watch while idle, freeze, end."""

from collections.abc import AsyncIterator, Callable

import psutil
import trio

from lambda_adapter.local.check.finding import Finding, warning
from lambda_adapter.local.check.result import Result
from lambda_adapter.local.check.rules import bill
from lambda_adapter.local.check.rules.causes import Cause, find_cause
from lambda_adapter.local.check.rules.crash import judge_cause
from lambda_adapter.local.check.rules.disk import judge_closed, judge_writes
from lambda_adapter.local.check.rules.life import without_late_work
from lambda_adapter.local.check.rules.place import (
    RESERVED,
    ROOTS,
    judge_port,
    judge_reserved,
)
from lambda_adapter.local.check.rules.resources import (
    judge_memory,
    judge_threads,
    without_effects_of_leaks,
)
from lambda_adapter.local.check.rules.start import Start, judge_start
from lambda_adapter.local.check.settings import CheckSettings
from lambda_adapter.local.check.stages import grow, idle, life, probe, profile
from lambda_adapter.local.check.stages.ask import Asking
from lambda_adapter.local.check.stages.begin import Beginning
from lambda_adapter.local.check.stages.launch import launch
from lambda_adapter.local.check.subject import Subject, SubjectLog
from lambda_adapter.local.environment import EndedError
from lambda_adapter.local.options import Options
from lambda_adapter.local.sandbox.attempts import merged

Progress = Callable[[str], None]


STAGE_ERRORS = (
    *(EndedError, RuntimeError, OSError, psutil.Error),
    *(trio.BrokenResourceError, trio.ClosedResourceError),
)
"""Errors that end a stage: the application, a process or a socket has ended."""


class Check:
    """A check in progress; ``result`` is what is known so far."""

    def __init__(
        self, options: Options, settings: CheckSettings, progress: Progress
    ) -> None:
        self._options = options
        self._settings = settings
        self._progress = progress
        self._log = SubjectLog()
        self._causes: list[Cause] = []
        self._broke = False
        self.result = Result(options.shown, settings.memory_mb)
        self.result.log = self._log.lines

    async def run(self) -> Result:
        """Run all stages, and return the result."""
        async with launch(self._options, self._settings, self._log, self._progress) as (
            subject,
            beginning,
            findings,
        ):
            self.result.findings += findings
            if environment := subject.function.environment:
                self.result.sandbox = (
                    environment.jail.described if environment.jail else ""
                )
            self._judge_start(subject, beginning)
            if beginning.ready:
                await self._live(subject)
            self._judge_rest(subject, beginning)
            if beginning.ready:
                await self._stage("SIGTERM", life.end(subject))
            if beginning.ready and self._settings.pace.profile:
                await self._stage("imports", profile.imports(subject))
        self.result.complete = True
        return self.result

    def _judge_start(self, subject: Subject, beginning: Beginning) -> None:
        if not beginning.ready:
            if cause := find_cause(beginning.lines):
                self._causes.append(cause)
            self._broke = True
            return
        start = Start(beginning.cpu, beginning.waits)
        self.result.start = start
        self.result.findings += judge_start(start, self._settings.memory_mb)

    async def _live(self, subject: Subject) -> None:
        asking = Asking(subject)
        await self._stage("requests", asking.run(self._progress))
        self._causes += asking.causes
        self._broke = self._broke or asking.failed
        await self._stage("idle", idle.watch(subject))
        await self._stage("headers", probe.large_headers(subject))
        await self._stage("WebSockets", probe.websockets(subject))
        await self._stage("one connection", life.one_at_a_time(subject))
        await self._stage("many requests", grow.grow(subject, self._progress))
        self.result.weights = subject.weights
        self._bill(subject)
        await self._stage("freeze", life.freeze(subject))
        await self._stage("a worker that dies", life.kill_worker(subject))

    async def _stage(self, name: str, findings: AsyncIterator[Finding]) -> None:
        """Collect a stage's findings; an error in it does not stop the check."""
        self._progress(name)
        try:
            with trio.move_on_after(self._settings.pace.stage):
                async for finding in findings:
                    self.result.findings.append(finding)
        except* STAGE_ERRORS as group:
            why = f"{name}: {_first_message(group)}"
            self.result.findings.append(
                warning("unfinished", "a part of the check broke off", seen=why)
            )

    def _bill(self, subject: Subject) -> None:
        governor = subject.jail.governor
        if not subject.durations or self.result.start is None or governor is None:
            return
        cpu = subject.request_cpu
        waits = max(min(subject.durations) - cpu, 0.0)
        peak_mb = governor.peak_bytes / 1_048_576
        measured = bill.Measured(cpu, waits, self.result.start, peak_mb)
        self.result.bill = bill.bill(measured, self._settings.monthly)
        self.result.assumptions = bill.assumptions(measured, self._settings.monthly)

    def _judge_rest(self, subject: Subject, beginning: Beginning) -> None:
        """Judge what only all stages together show."""
        found = self.result.findings
        if jails := subject.jails:
            attempts = merged(jail.attempts for jail in jails)
            found += judge_writes(attempts, self._causes, broke=self._broke)
            for port in {bind.port for bind in attempts.binds} & RESERVED.keys():
                if port not in subject.ours:
                    found.append(judge_reserved(port))
            low = {each.port for each in attempts.binds if 0 < each.port < ROOTS}
            if low and not beginning.ready:
                found.append(judge_port(subject.port, min(low)))
                self._causes = [c for c in self._causes if c.kind != "permissions"]
            if attempts.shared_memory() and not jails[0].closed:
                # /dev/shm is closed here, and not there on Lambda: no file's mode.
                self._causes = [c for c in self._causes if c.kind != "permissions"]
            found += judge_closed(jails[0].closed, self._causes)
            if attempts.privileges and beginning.ended and not self._causes:
                first = next(iter(attempts.privileges))
                self._causes.append(Cause("privileges", f"{first.by}: {first.call}()"))
        killed = next((g.killed for g in subject.governors if g.killed), "")
        peak = max((g.peak_bytes for g in subject.governors), default=0)
        if beginning.ready or killed:
            found += judge_memory(peak / 1_048_576, self._settings.memory_mb, killed)
        threads = max((g.peak_threads for g in subject.governors), default=0)
        found += judge_threads(threads)
        found = list(without_late_work(found))
        known = {"disk", "shared-memory", "home", "permissions", "memory"}
        for cause in self._causes:
            if cause.kind not in known:
                found.append(judge_cause(cause))
        self.result.findings = list(without_effects_of_leaks(found))


def _first_message(error: BaseException) -> str:
    """Return the message of the first error in a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"

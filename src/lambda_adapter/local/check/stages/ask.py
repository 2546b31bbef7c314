"""Request each path directly and through each gateway, and compare."""

from collections import deque
from collections.abc import AsyncIterator, Callable

import trio

from lambda_adapter.local.check.finding import Finding, warning
from lambda_adapter.local.check.rules import responses
from lambda_adapter.local.check.rules.causes import Cause, find_cause, last_line
from lambda_adapter.local.check.rules.crawl import find_paths, is_safe
from lambda_adapter.local.check.rules.openapi import SAFE, SourceError, read_openapi
from lambda_adapter.local.check.rules.place import judge_host
from lambda_adapter.local.check.rules.requests import (
    Timing,
    judge_asked,
    judge_crash,
    judge_failed,
    judge_late,
    judge_timing,
    judge_worker_crash,
)
from lambda_adapter.local.check.rules.responses import Answer
from lambda_adapter.local.check.settings import Target
from lambda_adapter.local.check.stages.compare import compare
from lambda_adapter.local.check.stages.living import living
from lambda_adapter.local.check.subject import HOST, Direct, Outcome, Subject
from lambda_adapter.local.gateways import GATEWAYS

OPENAPI = ("/openapi.json",)
"""Paths of OpenAPI documents, as in FastAPI."""

REFUSED = (400, 403, 404, 421)
"""Statuses with which servers refuse a Host that they don't know."""

MAX_KNOWN = 1_000
"""Paths of links that are kept."""

MAX_COMPARED = 8
"""Pages to request through every gateway; the others only through the first."""


class Asking:
    """The requests of a check, and their results."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._given = bool(subject.settings.targets)
        self._queue = deque(subject.settings.targets or (Target("/"),))
        self._known = {each.path for each in self._queue}
        self._binary: dict[str, str] = {}
        self.causes: list[Cause] = []
        """Causes in the log for requests that failed."""
        self.failed = False
        self.asked = 0
        self.skipped: list[str] = []
        """Paths that were not requested, since they may change something."""
        self.late: list[str] = []
        self._living: dict[int, str] = {}
        self._beyond = False
        """Whether there are more links than are kept."""

    @property
    def _most(self) -> int:
        settings = self._subject.settings
        if self._given:
            return len(settings.targets)
        return settings.pace.crawl if settings.crawl is None else settings.crawl + 1

    async def run(self, progress: Callable[[str], None]) -> AsyncIterator[Finding]:
        """Send all requests, and return the findings."""
        if not self._given:
            async for finding in self._find_openapi():
                yield finding
        self._living = await trio.to_thread.run_sync(living, self._subject)
        while self._queue and self.asked < self._most:
            target = self._queue.popleft()
            if target.method not in SAFE and not self._given:
                continue
            progress(f"{target.title} ({self.asked + 1})")
            self.asked += 1
            async for finding in self._ask(target):
                yield finding
        for finding in responses.judge_media(self._binary):
            yield finding
        left = f"{'over ' * self._beyond}{len(self._queue):,}" if self._queue else ""
        yield judge_asked(self.asked, left, self._most, self.skipped)

    async def _find_openapi(self) -> AsyncIterator[Finding]:
        """Ask for the application's own document, and queue what it names."""
        named = self._subject.settings.openapi
        for path in (named,) if named else OPENAPI:
            status, body = await self._fetch(path)
            try:
                found = status == 200 and b'"paths"' in body and read_openapi(body)
            except SourceError:
                found = []
            for target in found or []:
                self._add(target.path)
            if named and not found:
                yield warning("unfinished", f"no OpenAPI document at {path}: {status}")

    async def _fetch(self, path: str) -> tuple[int, bytes]:
        if self._subject.has_port:
            direct = await self._subject.ask_directly(Target(path), 2)
            return direct.status, direct.body
        outcome = await self._subject.ask(Target(path))
        return outcome.status, outcome.body

    def _add(self, path: str) -> None:
        if path in self._known or self._given:
            return
        if len(self._known) >= MAX_KNOWN:
            self._beyond = True
            return
        self._known.add(path)
        if is_safe(path):
            self._queue.append(Target(path))
        else:
            self.skipped.append(path)

    async def _ask(self, target: Target) -> AsyncIterator[Finding]:
        subject = self._subject
        first_line = len(subject.log.lines)
        direct: Direct | None = None
        if subject.has_port:
            limit = subject.settings.pace.request
            direct = await subject.ask_directly(target, limit)
            async for finding in self._judge_host(target, direct):
                yield finding
            timing = _timing(direct, limit)
            judged = judge_timing(target.path, timing, streamed=subject.streams)
            for finding in judged:
                yield finding
            if not direct.complete and subject.streams and direct.status:
                return  # a stream without an end is fine here
            if not direct.complete:
                async for finding in self._after_late(target, direct, first_line):
                    yield finding
                return
        outcome = await subject.ask(target, self._gateways[0])
        answer = self._answer(target, direct, outcome)
        subject.pages[target.path] = answer
        if direct is None and outcome.seconds:
            timing = Timing(
                *(outcome.seconds, not outcome.late, outcome.seconds),
                *(len(outcome.body), answer.value(b"content-type"), 30.0),
            )
            for finding in judge_timing(target.path, timing, streamed=subject.streams):
                yield finding
        self._follow(target, answer)
        for finding in responses.judge(answer):
            yield finding
        for finding in self._judge_failure(target, outcome, answer, first_line):
            yield finding
        if direct and answer.status < 500:
            few = self.asked <= MAX_COMPARED
            through = self._gateways if few else self._gateways[:1]
            for finding in await compare(subject, target, direct, outcome, through):
                yield finding

    @property
    def _gateways(self) -> tuple[str, ...]:
        if self._subject.settings.gateways:
            return self._subject.settings.gateways
        streaming = self._subject.streams
        return tuple(
            name for name, kind in GATEWAYS.items() if kind.streams or not streaming
        )

    def _answer(
        self, target: Target, direct: Direct | None, outcome: Outcome
    ) -> Answer:
        if direct is None:
            found = (outcome.status, outcome.fields, outcome.body)
            seconds = outcome.seconds
        else:
            found = (direct.status, direct.fields, direct.body)
            seconds = direct.seconds
        answer = Answer(target.path, HOST, *found, self._subject.port, seconds)
        kind = answer.value(b"content-type").partition(";")[0]
        if kind and answer.body and not answer.is_text and answer.status < 400:
            self._binary.setdefault(kind, target.path)
        return answer

    async def _judge_host(
        self, target: Target, direct: Direct
    ) -> AsyncIterator[Finding]:
        """See, with the first path, whether its status is due to the Host."""
        refused = direct.status in REFUSED or (not direct.status and direct.seconds < 1)
        if self.asked > 1 or not refused:
            return
        local = await self._subject.ask_directly(target, 5, host="localhost")
        if 0 < local.status < 400:
            yield judge_host(target.path, HOST, direct.status, local.status)

    def _follow(self, target: Target, answer: Answer) -> None:
        kind = answer.value(b"content-type")
        for path in find_paths(target.path, kind, answer.body, HOST):
            self._add(path)
        if location := answer.value(b"location"):
            for path in find_paths(
                *(target.path, "text/html", f'href="{location}"'.encode(), HOST)
            ):
                self._add(path)

    def _judge_failure(
        self, target: Target, outcome: Outcome, answer: Answer, first_line: int
    ) -> list[Finding]:
        lines = self._subject.log.lines[first_line:]
        cause = find_cause([*lines, answer.body[:2_000].decode("utf-8", "replace")])
        alive = self._subject.environment.alive
        if answer.status < 500 and not outcome.failure and alive:
            if cause and cause.kind in ("disk", "shared-memory", "home", "tmp"):
                self.causes.append(cause)
            return []
        self.failed = True
        if cause:
            self.causes.append(cause)
        governor = self._subject.jail.governor
        if governor and governor.killed:
            return []  # the stage that measures memory reports that
        line = cause.line if cause else last_line(lines)
        if not alive or "Runtime.Exit" in outcome.failure:
            return [judge_crash(target.path, outcome.failure, line)]
        if answer.status >= 500:
            return [judge_failed(target.path, answer.status, line)]
        return []

    async def _after_late(
        self, target: Target, direct: Direct, first_line: int
    ) -> AsyncIterator[Finding]:
        """Send a request after one that was late or broke off."""
        subject = self._subject
        lines = subject.log.lines[first_line:]
        cause = find_cause(lines)
        governor = subject.jail.governor
        if cause:
            self.failed = True
            self.causes.append(cause)
        if direct.seconds < subject.settings.pace.request * 0.9:
            if not subject.environment.alive:
                self.failed = True
                if not (governor and governor.killed):
                    yield judge_crash(target.path, "", last_line(lines))
            elif governor and governor.killed:
                self.failed = True
            elif ended := await self._ended():
                self.failed = True
                yield judge_worker_crash(target.path, ended[0], last_line(lines))
            elif not direct.status:
                outcome = await subject.ask(target, self._gateways[0])
                answer = self._answer(target, None, outcome)
                for finding in self._judge_failure(target, outcome, answer, first_line):
                    yield finding
            return
        self.late.append(target.path)
        readiness = Target(subject.options.config.readiness_path)
        following = await subject.ask_directly(readiness, 3)
        if not following.status:
            yield judge_late(target.path, 0, following.seconds, ended=False)
            await subject.function.restart()

    async def _ended(self) -> list[str]:
        """Return the names of the processes that have ended since it was asked last."""
        before = self._living
        self._living = await trio.to_thread.run_sync(living, self._subject)
        return sorted({name for pid, name in before.items() if pid not in self._living})


def _timing(direct: Direct, limit: float) -> Timing:
    answer = Answer("", HOST, direct.status, direct.fields)
    in_time = direct.seconds < limit * 0.9
    return Timing(
        direct.seconds,
        direct.complete or (not direct.status and in_time),
        direct.first_byte,
        len(direct.body),
        answer.value(b"content-type"),
        limit,
        is_broken=bool(direct.status) and not direct.complete and in_time,
    )

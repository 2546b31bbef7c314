"""Start again, with Python printing the time of each import."""

from collections.abc import AsyncIterator

import msgspec
import trio

from lambda_adapter.local.check.finding import Finding
from lambda_adapter.local.check.rules.imports import (
    VARIABLE,
    judge_imports,
    sum_imports,
)
from lambda_adapter.local.check.subject import Subject, SubjectLog
from lambda_adapter.local.environment import EndedError
from lambda_adapter.local.function import Function


async def imports(subject: Subject) -> AsyncIterator[Finding]:
    """Start the application once more, and sum up the times of its imports."""
    environ = subject.options.environ | {VARIABLE: "1"}
    options = msgspec.structs.replace(subject.options, environ=environ)
    log = SubjectLog()
    async with trio.open_nursery() as nursery:
        function = Function(options, log)
        await nursery.start(function.run)
        try:
            await function.start()
        except EndedError:
            log.lines.clear()
        await function.stop()
        nursery.cancel_scope.cancel()
    for finding in judge_imports(sum_imports(log.lines)):
        yield finding

"""Start the application, and again with a fix, until it is ready."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import trio

from lambda_adapter.local.check.finding import Finding, failure, passed
from lambda_adapter.local.check.rules.causes import find_cause, last_line
from lambda_adapter.local.check.rules.crash import (
    judge_exit,
    judge_silence,
    judge_waiting,
)
from lambda_adapter.local.check.rules.place import (
    judge_address,
    judge_port,
    judge_random_port,
    judge_readiness,
    judge_unix_socket,
)
from lambda_adapter.local.check.settings import CheckSettings
from lambda_adapter.local.check.stages.begin import Beginning, Listener, begin
from lambda_adapter.local.check.subject import Subject, SubjectLog
from lambda_adapter.local.function import Function
from lambda_adapter.local.options import Options

MAX_STARTS = 4
"""Most starts: each one has the fix for the one before."""

FOREGROUND = "has to run in the foreground"
"""What the adapter's line has when a command ends with status 0: app/process.py."""

_EVERYWHERE = ("0.0.0.0", "::", "*")


@asynccontextmanager
async def launch(
    options: Options,
    settings: CheckSettings,
    log: SubjectLog,
    progress: Callable[[str], None],
) -> AsyncIterator[tuple[Subject, Beginning, list[Finding]]]:
    """Start the application; if it listens elsewhere, start it again for that place."""
    findings: list[Finding] = []
    cured = options
    for number in range(MAX_STARTS):
        async with trio.open_nursery() as nursery:
            function = Function(cured, log)
            await nursery.start(function.run)
            subject = Subject(cured, settings, function, log)
            beginning = await begin(subject, progress)
            cure = _judge(subject, beginning, findings)
            if cure is None or number == MAX_STARTS - 1:
                yield subject, beginning, findings
            await function.stop()
            nursery.cancel_scope.cancel()
        if cure is None:
            return
        cured = cure


def _judge(
    subject: Subject, beginning: Beginning, findings: list[Finding]
) -> Options | None:
    """Judge a start; return options for another try, if any can help."""
    config = subject.options.config
    if beginning.ready:
        if not findings and subject.has_port:
            where = f"{config.host}:{config.port}"
            findings.append(passed("port", f"listens at {where}"))
        if subject.has_port and not any(each.kind == "readiness" for each in findings):
            findings += _judge_readiness(subject, beginning)
    elif elsewhere := _elsewhere(beginning, config.port, config.host):
        if known := [each for each in findings if each.kind == "port"]:
            ports = (config.port, elsewhere.port)
            findings.remove(known[0])
            findings.append(judge_random_port(known[0].seen, ports))
            return None
        findings += _judge_place(subject, elsewhere)
        return _with_place(subject.options, elsewhere)
    elif beginning.hindered:
        findings.append(failure("command", beginning.problem))
    elif beginning.ended and not beginning.killed:
        cause = find_cause(beginning.lines)
        line = last_line(beginning.lines)
        behind = any(FOREGROUND in each for each in beginning.lines)
        findings.append(judge_exit(beginning.problem, line, cause, behind=behind))
    elif not beginning.is_accepting and not beginning.killed:
        if beginning.waits_for:
            findings.append(judge_waiting(beginning.waits_for))
        findings.append(judge_silence(subject.settings.pace.init, listens=True))
    elif beginning.listeners and not beginning.killed:
        if 0 < beginning.readiness_status < 500:  # it came up as it was given up
            findings.append(judge_silence(subject.settings.pace.init, listens=True))
        else:
            findings += _judge_readiness(subject, beginning)
        environ = {"AWS_LWA_READINESS_CHECK_PROTOCOL": "tcp"}
        return _with_environ(subject.options, environ)
    elif beginning.unix_socket:
        findings.append(judge_unix_socket(beginning.unix_socket))
        environ = {"AWS_LWA_UNIX_SOCKET": beginning.unix_socket}
        return _with_environ(subject.options, environ)
    elif not beginning.killed:  # of memory, which is judged at the end
        if beginning.waits_for:
            findings.append(judge_waiting(beginning.waits_for))
        findings.append(judge_silence(beginning.wall))
    return None


def _judge_readiness(subject: Subject, beginning: Beginning) -> Iterator[Finding]:
    path = subject.options.config.readiness_path
    status, seconds = beginning.readiness_status, beginning.readiness_seconds
    return judge_readiness(path, status, seconds, ready=beginning.ready)


def _judge_place(subject: Subject, place: Listener) -> Iterator[Finding]:
    config = subject.options.config
    if place.port != config.port:
        fixed = subject.settings.fixed_port
        yield judge_port(config.port, place.port, wanted_by_user=fixed)
    if place.host not in ("127.0.0.1", *_EVERYWHERE):
        yield judge_address(place.host, place.port, config.host)


def _elsewhere(beginning: Beginning, port: int, host: str) -> Listener | None:
    """Return the place where it listens instead of the expected one, if any."""
    there = beginning.listeners
    right = [
        each
        for each in there
        if each.port == port and each.host in (host, *_EVERYWHERE)
    ]
    if right or not there:
        return None
    return min(there, key=lambda each: (each.port != port, each.port))


def _with_place(options: Options, place: Listener) -> Options:
    host = "127.0.0.1" if place.host in _EVERYWHERE else place.host
    environ = {"AWS_LWA_PORT": str(place.port), "AWS_LWA_HOST": host}
    return _with_environ(options, environ)


def _with_environ(options: Options, environ: Mapping[str, str]) -> Options:
    return msgspec.structs.replace(options, environ={**options.environ, **environ})

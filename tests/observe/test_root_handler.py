"""``root_handler``: logging as Lambda functions do it, as AWS's runtime has it."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.adapter import open_adapter
from tests.app.calls import http_event
from tests.app.in_process.asgi.test_app import PROGRAMS

LOGS = """
import datetime, logging
root, log = logging.getLogger(), logging.getLogger("shop")
log.info("not by itself")
log.warning("warned %s", "once")
root.setLevel("DEBUG")
log.debug("d\\u00e9bug \\u20ac")
log.info("two\\nlines")
log.log(25, "between")
log.log(99, "beyond")
log.log(5, "below")
log.critical({"an": "object", "at": datetime.date(2026, 1, 2)})
log.info({"an": "object"}, {"and": "arguments"})
log.info("extra", extra={"order": 7, "at": datetime.date(2026, 1, 2), "none": None})
log.info("stack", stack_info=True)
try:
    {}["a key"]
except KeyError:
    log.exception("failed")
    log.info("for the record", exc_info=True)
try:
    raise ExceptionGroup("several", [ValueError("one"), OSError(2, "two")])
except ExceptionGroup as error:
    log.error("all of them", exc_info=error)
root.handlers[0].setFormatter(logging.Formatter("%(aws_request_id)s|%(message)s\\n"))
log.info("another format")
"""

OURS = """
from lambda_adapter.observe.root_handler import add_root_handler
add_root_handler({format!r}, {level!r})
"""

AWS = """
from awslambdaric import bootstrap
bootstrap._setup_logging(
    bootstrap.LogFormat.from_str({format!r}),
    bootstrap._get_log_level_from_env_var({level!r} or None),
    bootstrap.FramedTelemetryLogSink(1).__enter__(),
)
"""
"""Each record is a frame on Lambda, which a log on stdout can only have as lines."""

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


def logged(setup, log_format, level):
    """Return what a program's log calls write, but for the times and its own name."""
    run = subprocess.run(
        [sys.executable, "-c", setup.format(format=log_format, level=level) + LOGS],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert run.stderr == b""
    frames = read_frames(run.stdout) if setup == AWS else [run.stdout]
    lines = [line for frame in frames for line in frame.decode().splitlines()]
    place = re.compile(r"\bline \d+|<string>:<module>:\d+")
    return [place.sub("line", TIME.sub("time", line)) for line in lines]


def read_frames(data):
    """Return the frames of AWS's protocol: a head of 16 bytes, and a text."""
    frames = []
    while data:
        end = 16 + int.from_bytes(data[4:8], "big")
        frames.append(data[16:end])
        data = data[end:]
    return frames


@pytest.mark.parametrize("log_format", ["Text", "JSON", ""])
@pytest.mark.parametrize("level", ["", "TRACE", "info", "WARN", "FATAL", "LOUD"])
def test_as_awss_runtime(log_format, level):
    """An application's records are written as AWS's own runtime client writes them."""
    pytest.importorskip("awslambdaric")

    ours, theirs = (logged(setup, log_format, level) for setup in (OURS, AWS))

    assert len(ours) > 5
    assert ours == theirs


ODD = """
import logging
class Textless(Exception):
    def __str__(self):
        raise LookupError
cycle = {}
cycle["itself"] = cycle
values = [{(1, 2): 3}, cycle, Textless(), "\\ud800", object]
for number, value in enumerate(values):
    logging.warning("record %d", number, extra={"value": value})
    logging.warning({"record": value})
try:
    raise Textless
except Textless:
    logging.exception("failed \\ud800")
"""


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_no_record_is_lost(log_format, encoding):
    """A record is written whatever it holds, with text in place of odd values."""
    run = subprocess.run(
        [sys.executable, "-c", OURS.format(format=log_format, level="") + ODD],
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": encoding},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert run.stderr == ""
    lines = run.stdout.splitlines()
    if log_format == "JSON":
        assert len([json.loads(line) for line in lines]) == 11
        assert all("record 0" in line or "1, 2" in line for line in lines[:2])
    else:
        assert len([line for line in lines if line.startswith("[")]) == 11


@pytest.mark.parametrize("end", ["", "\\n"])
@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_formatter_without_a_line_break(log_format, end):
    """Each record is a line, also with a formatter that adds no line break.

    AWS's runtime frames each record, so that formatters of JSON need not add one.
    """
    script = f"""
import logging
logging.getLogger().handlers[0].setFormatter(logging.Formatter("%(message)s{end}"))
logging.error("one")
logging.error("two")
"""
    run = subprocess.run(
        [sys.executable, "-c", OURS.format(format=log_format, level="") + script],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
        timeout=30,
    )

    assert run.stdout == b"one\ntwo\n"


def open_app(runtime, kind, **environ):
    """Start the adapter and the application in its process; keep what it prints."""
    return open_adapter(
        runtime.address,
        ["--app-dir", PROGRAMS, f"--{kind}", f"logging_app:{kind}"],
        stdout=subprocess.PIPE,
        **environ,
    )


async def printed(adapter):
    """End the adapter, and return what its application has printed."""
    adapter.process.terminate()
    await adapter.wait()
    return (b"".join([part async for part in adapter.process.stdout])).decode()


@pytest.mark.parametrize("path", ["/info", "/thread-info"])
@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
async def test_request_id(runtime, kind, path):
    """A line that an application or a thread of it logs has the invocation's id."""
    async with open_app(runtime, kind) as adapter:
        await runtime.invoke(http_event("/warning"))
        await runtime.invoke(http_event(path))
        text = await printed(adapter)

    first, second = text.splitlines()
    assert re.fullmatch(r"\[WARNING\]\t\S+Z\trequest-1\tcareful", first)
    assert re.fullmatch(r"\[INFO\]\t\S+Z\trequest-2\t(sold 3|from a thread)", second)


async def test_json(runtime):
    """A line of JSON, if Lambda wants that, has the request's id and the tenant."""
    async with open_app(
        runtime, "asgi", AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_LOG_LEVEL="INFO"
    ) as adapter:
        await runtime.invoke(
            http_event("/info"), lambda_runtime_aws_tenant_id="tenant-7"
        )
        line = json.loads(await printed(adapter))

    assert TIME.fullmatch(line.pop("timestamp"))
    assert line == {
        "level": "INFO",
        "message": "sold 3",
        "logger": "shop",
        "requestId": "request-1",
        "tenantId": "tenant-7",
    }


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
async def test_closed_output(runtime, kind):
    """A record does not fail its caller where stdout and stderr are closed."""
    async with open_app(runtime, kind, CONFIGURES="closes_both"):
        posted = await runtime.invoke(http_event("/warning"))

    assert posted.json()["body"] == "ok"


@pytest.mark.parametrize("configures", ["forces", "dictionary", "ini", "empties"])
async def test_own_configuration(runtime, configures):
    """An application's own configuration replaces the handler."""
    async with open_app(runtime, "asgi", CONFIGURES=configures) as adapter:
        await runtime.invoke(http_event("/info"))
        text = await printed(adapter)

    assert text == ""
    assert ("sold 3\n" in adapter.log) is (configures != "empties")

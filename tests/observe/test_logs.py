"""``logs``: one line for each thing that happened, in Lambda's two formats."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import trio

from lambda_adapter.observe.logs import (
    MAX_TEXT,
    JsonFormatter,
    TextFormatter,
    configure,
    log,
)
from tests.adapter import open_adapter
from tests.app.calls import http_event
from tests.app.in_process.asgi.test_app import PROGRAMS
from tests.catalogue import load
from tests.events.examples import encode, with_fields
from tests.fake_runtime_api import FakeRuntimeApi, Posted
from tests.scripted_app import Answer, ScriptedApp, open_app, said


def record(message, level=logging.INFO, created=0.0, **extra):
    values = {"msg": message, "levelno": level, "created": created, **extra}
    values["levelname"] = logging.getLevelName(level)
    return logging.makeLogRecord(values)


@pytest.fixture
def _restored():
    """Leave the logger as it was found."""
    before = log.handlers, log.propagate, log.level
    yield
    log.handlers, log.propagate = before[0], before[1]
    log.setLevel(before[2])


def test_text():
    """A line has its source, its level, its message and its invocation."""
    line = TextFormatter().format(
        record("no answer", logging.WARNING, request_id="request-1")
    )

    assert line == "lambda-adapter: WARN no answer RequestId: request-1"


def test_text_without_request_id():
    """A line outside of invocations has no request ID."""
    assert TextFormatter().format(record("ready")) == "lambda-adapter: INFO ready"


def test_json():
    """A line is an object with the keys of Lambda's own JSON logs."""
    line = JsonFormatter().format(
        record("no answer", logging.WARNING, 1.25, request_id="request-1")
    )

    assert json.loads(line) == {
        "timestamp": "1970-01-01T00:00:01.250Z",
        "level": "WARN",
        "logger": "lambda-adapter",
        "message": "no answer",
        "requestId": "request-1",
    }


def test_json_without_request_id():
    """A JSON line outside of invocations has no key for one."""
    assert "requestId" not in json.loads(JsonFormatter().format(record("ready")))


@pytest.mark.parametrize(
    ("created", "timestamp"),
    [
        pytest.param(0.0, "1970-01-01T00:00:00.000Z", id="whole second"),
        pytest.param(1.03125, "1970-01-01T00:00:01.031Z", id="leading zeros"),
        pytest.param(59.9996, "1970-01-01T00:00:59.999Z", id="last of a second"),
    ],
)
def test_timestamp_has_three_digits_of_a_second(created, timestamp):
    """A fraction is truncated, because rounding could change the second."""
    line = JsonFormatter().format(record("ready", created=created))

    assert json.loads(line)["timestamp"] == timestamp


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (logging.DEBUG, "DEBUG"),
        (logging.INFO, "INFO"),
        (logging.WARNING, "WARN"),
        (logging.ERROR, "ERROR"),
        (logging.CRITICAL, "FATAL"),
    ],
)
def test_levels_have_lambdas_names(level, name):
    """Lambda filters by level, so levels have its names for them in both formats."""
    text = TextFormatter().format(record("ready", level))
    line = json.loads(JsonFormatter().format(record("ready", level)))

    assert (text, line["level"]) == (f"lambda-adapter: {name} ready", name)


@pytest.mark.parametrize(
    "control", ["\n", "\r", "\x1b[2J", "\0", "\x85", "\u2028", "\udcff"], ids=ascii
)
def test_text_can_not_be_forged(control):
    """What came from outside ends no line, clears no screen and can be written."""
    line = TextFormatter().format(record(f"a{control}lambda-adapter: ERROR b"))

    assert line.isprintable()
    assert line.startswith("lambda-adapter: INFO a\\")


@pytest.mark.parametrize(
    "control", ["\n", "\r", "\x1b[2J", "\0", '"', "\\", "\udcff"], ids=ascii
)
def test_json_can_not_be_forged(control):
    """What came from outside ends no string, and what is not Unicode can be written."""
    line = JsonFormatter().format(record(f"a{control}b"))

    assert len(line.splitlines()) == 1
    message = json.loads(line)["message"]
    assert (message[0], message[-1]) == ("a", "b")


def test_letters_stay_legible():
    """Letters beyond ASCII are not escaped."""
    message = "grüße 你好 🎉"

    assert TextFormatter().format(record(message)).endswith(message)
    assert message in JsonFormatter().format(record(message))


def test_traceback():
    """A traceback follows a line of text, and is part of a line of JSON."""
    try:
        raise ValueError("of the adapter")
    except ValueError:
        faulty = record("a fault", logging.ERROR, exc_info=sys.exc_info())

    text = TextFormatter().format(faulty)
    line = JsonFormatter().format(faulty)

    assert text.startswith("lambda-adapter: ERROR a fault\nTraceback")
    assert text.endswith("ValueError: of the adapter")
    assert len(line.splitlines()) == 1
    shown = json.loads(line)
    assert shown["stackTrace"][-1] == "ValueError: of the adapter"
    assert shown["errorType"] == "ValueError"
    assert shown["errorMessage"] == "of the adapter"


FORMATTERS = pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
EVENT_LIMIT = 262_144
"""Bytes of an event in CloudWatch Logs:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""


@FORMATTERS
@pytest.mark.parametrize(
    "char", ["x", "\n", "\0", '"', "\\", "é", "🎉", "\U0010ffff", "\udcff"], ids=ascii
)
def test_long_message_is_cut(formatter, char):
    """A long message keeps both ends, and the number of missing characters."""
    line = formatter.format(record(f"begin {char * 4_000_000} end"))

    assert len(line.encode()) < EVENT_LIMIT
    assert "begin " in line
    assert "[3,983,626 characters left out]" in line
    assert " end" in line[-50:]


@FORMATTERS
def test_long_traceback_is_cut(formatter):
    """A traceback is truncated like a message, so that the line fits with both."""
    try:
        raise ValueError("🎉" * 1_000_000 + "end")
    except ValueError as error:
        faulty = record(f"begin {error}", logging.ERROR, exc_info=sys.exc_info())

    line = formatter.format(faulty)

    assert len(line.encode()) < EVENT_LIMIT
    assert line.count("characters left out]") >= 2
    assert "Traceback (most recent call last)" in line


@FORMATTERS
def test_message_at_the_limit_is_whole(formatter):
    """A message of the largest size loses nothing."""
    message = "x" * MAX_TEXT

    assert message in formatter.format(record(message))


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize(
    ("environ", "formatter"),
    [
        ({}, TextFormatter),
        ({"AWS_LAMBDA_LOG_FORMAT": "Text"}, TextFormatter),
        ({"AWS_LAMBDA_LOG_FORMAT": "JSON"}, JsonFormatter),
        ({"AWS_LAMBDA_LOG_FORMAT": "json"}, JsonFormatter),
        ({"AWS_LAMBDA_LOG_FORMAT": "yaml"}, TextFormatter),
    ],
)
def test_format(environ, formatter):
    """Lambda chooses the format; text is the default."""
    configure(environ.get("AWS_LAMBDA_LOG_FORMAT", ""), "")

    (handler,) = log.handlers
    assert type(handler.formatter) is formatter


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize(
    ("level", "least"),
    [
        ("", logging.INFO),
        ("TRACE", logging.DEBUG),
        ("debug", logging.DEBUG),
        ("INFO", logging.INFO),
        ("WARN", logging.WARNING),
        ("ERROR", logging.ERROR),
        ("FATAL", logging.CRITICAL),
        ("LOUD", logging.INFO),
    ],
)
def test_level(level, least):
    """Lines below Lambda's level are not written; INFO is the default."""
    configure("Text", level)

    assert log.isEnabledFor(least)
    assert not log.isEnabledFor(least - 1)


@pytest.mark.usefixtures("_restored")
def test_written_once_to_stderr(capsys):
    """A line is written once to stderr, however often logging is configured."""
    configure("Text", "INFO")
    configure("Text", "INFO")

    log.info("ready after %d ms", 5)

    assert capsys.readouterr() == ("", "lambda-adapter: INFO ready after 5 ms\n")


SECRET = "Sup3rS3cr3tT0ken"
"""Letters and digits alone, so that no escape can hide it."""

TOKEN = SECRET.encode()

CREDENTIALS = (
    f"AWS_ACCESS_KEY_ID={SECRET}",
    f"AWS_SECRET_ACCESS_KEY={SECRET}",
    f"AWS_SESSION_TOKEN={SECRET}",
    f"DATABASE_URL=postgres://user:{SECRET}@example.com",
    f"AWS_LWA_PASSWORD={SECRET}",  # there is no such setting, which is a warning
)

TRUSTED = ("env", *CREDENTIALS, sys.executable, "-m", "lambda_adapter")
"""The adapter, with something to hide."""

SAID_BY_LAMBDA = {
    "lambda_runtime_trace_id": f"Root={SECRET}",
    "lambda_runtime_aws_tenant_id": SECRET,
    "lambda_runtime_cognito_identity": json.dumps({"identityId": SECRET}),
    "lambda_runtime_client_context": json.dumps({"custom": {"key": SECRET}}),
}

BESIDE_FIELDS = {
    "cookies": [f"session={SECRET}"],
    "rawQueryString": f"token={SECRET}",
    "queryStringParameters": {"token": SECRET},
    "multiValueQueryStringParameters": {"token": [SECRET]},
}


def secretive(name, **changes):
    """Return an HTTP event with a secret wherever a client can put one."""
    fields = [
        ("host", "example.com"),
        ("cookie", f"session={SECRET}"),
        ("x-secret", SECRET),
        ("x-api-key", SECRET),
    ]
    event = with_fields(name, fields)
    beside = {key: value for key, value in BESIDE_FIELDS.items() if key in event}
    about_it = event["requestContext"] | {"authorizer": {"principalId": SECRET}}
    return {**event, **beside, "requestContext": about_it, "body": SECRET, **changes}


HTTP = ["alb", "alb_multi_value", "http_api", "http_api_v1", "rest_api", "vpc_lattice"]
SECRETIVE = {name: secretive(name) for name in HTTP}
SQS = load("sqs", password=SECRET)
OTHERS = [SQS, load("websocket_message", body=SECRET), [SECRET]]

BROKEN = [("host", "example.com"), ("x-api-key", f"{SECRET}\n")]
HTTP_API = encode(SECRETIVE["http_api"])

WRONG: list[dict[str, object]] = [
    {"headers": {"host": f"{SECRET} {SECRET}"}},
    {"headers": {"Host": f"{SECRET}.com", "host": f"{SECRET}.org"}},
    {"headers": {"x-api-key": [SECRET]}},
    {"headers": SECRET},
    {"cookies": [f"session={SECRET}\r\n"]},
    {"cookies": SECRET},
    {"body": {"password": SECRET}},
    {"body": f"{SECRET}%", "isBase64Encoded": True},
    {"isBase64Encoded": SECRET},
    {"rawQueryString": [SECRET]},
    {"requestContext": {"http": {"method": [SECRET]}}},
]

UNREADABLE = [
    *(with_fields(name, BROKEN) for name in HTTP),
    *(secretive("http_api", **wrong) for wrong in WRONG),
    HTTP_API[:-9],
    HTTP_API.replace(TOKEN, TOKEN + b"\xff"),
    b'{"password": %s}' % TOKEN,
    b'{"password": [' * 5_000 + TOKEN,
]
"""What costs its invocation before the application sees it."""

FIELDS = (
    f"set-cookie: session={SECRET}\r\nlocation: /?token={SECRET}\r\nx-key: {SECRET}\r\n"
).encode()
OK = b"HTTP/1.1 200 OK\r\n" + FIELDS


UNUSABLE = [
    said(503, TOKEN, FIELDS),
    *(
        Answer(raw)
        for raw in [
            b"220 %s ESMTP\r\n" % TOKEN,
            b"%s\r\n\r\n" % TOKEN,
            b"HTTP/1.1 %s\r\n\r\n" % TOKEN,
            b"HTTP/1.1 099 %s\r\n\r\n" % TOKEN,
            b"HTTP/1.1 103 Hints\r\n" + FIELDS + b"\r\n",
            b"HTTP/1.1 101 Switch\r\nconnection: upgrade\r\nupgrade: %s\r\n\r\n"
            % TOKEN,
            OK + TOKEN,
            OK + b"%s\r\n\r\n" % TOKEN,
            OK + b"x-key: %s\0\r\n\r\n" % TOKEN,
            OK + b"content-length: %s\r\n\r\n" % TOKEN,
            OK + b"transfer-encoding: %s\r\n\r\n" % TOKEN,
            OK + b"x: " + TOKEN * 10_000 + b"\r\n\r\n",
            OK + b"content-length: 99\r\n\r\n" + TOKEN,
            OK + b"transfer-encoding: chunked\r\n\r\n%s\r\n" % TOKEN,
            OK + b"transfer-encoding: chunked\r\n\r\n99\r\n" + TOKEN,
        ]
    ),
]
"""What the application says, and an invocation fails of."""

NO = b"HTTP/1.1 413 No\r\ncontent-length: 2\r\n\r\n{}"
GARBAGE = b"220 smtp.example.com ESMTP\r\n"
UNHEARD = [
    ("/response", NO, "Lambda refused the reply"),
    ("/response", GARBAGE, "the reply did not reach Lambda"),
    ("/error", NO, "Lambda refused the error"),
    ("/error", GARBAGE, "the error did not reach Lambda"),
]
"""What Lambda says to a reply, or to an error, and what the log says then."""


async def put_through(runtime: FakeRuntimeApi, app: ScriptedApp) -> int:
    """Have all succeed that can, and all fail that can.

    Returns how many errors that is.
    """

    async def invoke(event: object, **fields: str) -> Posted:
        return await runtime.invoke(event, **SAID_BY_LAMBDA, **fields)

    for event in [*SECRETIVE.values(), *OTHERS]:
        app.answers.append(said(200, TOKEN, FIELDS))
        posted = await invoke(event)
        assert TOKEN in posted.body or posted.body == b"null"  # a batch's reply
    async with trio.open_nursery() as nursery:
        for event in UNREADABLE:
            nursery.start_soon(invoke, event)
    async with trio.open_nursery() as nursery:
        app.answers.extend(UNUSABLE * 3)
        for event in [SECRETIVE["alb"], SECRETIVE["rest_api"], SQS] * len(UNUSABLE):
            nursery.start_soon(invoke, event)
    app.answers += [
        said(400, TOKEN, FIELDS),
        said(200, TOKEN * 500_000, FIELDS),
        Answer(TOKEN, "hold"),
    ]
    await invoke(SQS)
    await invoke(SECRETIVE["alb"])
    soon = str(int((time.time() + 0.4) * 1000))
    await invoke(SECRETIVE["alb"], lambda_runtime_deadline_ms=soon)
    return len(UNREADABLE) + 3 * len(UNUSABLE) + 3


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
async def test_no_secret_gets_into_it(runtime, log_format):
    """Bodies, queries and the values of fields stay out, at any level, whatever fails.

    So do the credentials of the environment, and what Lambda says of whoever invokes.
    """
    runtime.max_polls = 8
    async with (
        open_app() as app,
        open_adapter(
            runtime.address,
            [],
            adapter=TRUSTED,
            port=app.port,
            AWS_LAMBDA_LOG_FORMAT=log_format,
            AWS_LAMBDA_LOG_LEVEL="TRACE",
            AWS_LAMBDA_MAX_CONCURRENCY="8",
            AWS_LWA_INVOKE_MODE="response_stream",
            AWS_LWA_ERROR_STATUS_CODES="503",
            AWS_LWA_AUTHORIZATION_SOURCE="x-api-key",
        ) as adapter,
    ):
        await app.wait_requests(1)
        errors = await put_through(runtime, app)
        async with trio.open_nursery() as nursery:
            for end, raw, words in UNHEARD:
                runtime.scripted[end].append(raw)
                event = SQS if end == "/response" else b"{" + TOKEN
                nursery.start_soon(runtime.invoke, event)
                await adapter.wait_log(words)
            nursery.cancel_scope.cancel()
        adapter.process.send_signal(signal.SIGTERM)
        written = await adapter.wait_log("ending on SIGTERM")

    assert SECRET not in written
    assert "AWS_LWA_PASSWORD is not a setting" in written
    lines = written.count("ERROR") - written.count("ERROR_STATUS_CODES names")
    assert lines == errors + len(UNHEARD) + 2  # two events were errors
    for request in app.requests[1 : 1 + len(HTTP)]:
        assert TOKEN in request.line
        assert TOKEN in request.body
        assert {name for name, value in request.fields if TOKEN in value} == {
            *(b"authorization", b"cookie", b"x-secret", b"x-amz-tenant-id"),
            *(b"x-amzn-request-context", b"x-amzn-lambda-context", b"x-amzn-trace-id"),
        }


@pytest.mark.parametrize("answer", UNUSABLE[:2], ids=["unhealthy", "garbage"])
async def test_no_secret_of_a_start_that_fails(runtime, answer):
    """A response of an application that never gets ready is not logged."""
    async with (
        open_app(*[answer] * 1_000) as app,
        open_adapter(
            runtime.address,
            [],
            adapter=TRUSTED,
            port=app.port,
            AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS="0.1",
        ) as adapter,
    ):
        written = await adapter.wait_log("last check: ")
        assert await adapter.wait() == 1

    assert "ERROR Runtime.AppNotReadyError" in written
    assert SECRET not in written


@pytest.mark.parametrize(
    "wrong",
    [
        {"headers": {f"x y {'z' * 4_000_000}": "1"}},
        {"headers": {f"x{'z' * 4_000_000}": "a\nb"}},
        {"requestContext": {"http": {"method": "z " * 2_000_000, "path": "/"}}},
    ],
    ids=["name", "value", "method"],
)
async def test_client_can_not_fill_it(runtime, wrong):
    """What a client sends is quoted in part, in the log and in the response."""
    async with (
        open_app() as app,
        open_adapter(runtime.address, [], port=app.port) as it,
    ):
        posted = await runtime.invoke(load("http_api", **wrong))
        written = await it.wait_log("RequestId: ")

    assert posted.json()["statusCode"] == 400
    assert "characters left out]" in written
    assert len(written) < 1_000
    assert len(posted.body) < 1_000


async def test_nothing_of_what_works(runtime):
    """An invocation that works leaves no line, but for DEBUG: no client fills the log.

    Nor does one without the field that is set to be renamed.
    """
    async with (
        open_app() as app,
        open_adapter(
            runtime.address,
            [],
            port=app.port,
            AWS_LAMBDA_LOG_LEVEL="INFO",
            AWS_LWA_AUTHORIZATION_SOURCE="x-missing",
        ) as adapter,
    ):
        app.answers += [
            said(200, b"{}") for _ in range(1 + len(SECRETIVE) + len(OTHERS))
        ]
        for event in [*SECRETIVE.values(), *OTHERS]:
            await runtime.invoke(event)
        adapter.process.send_signal(signal.SIGTERM)
        written = await adapter.wait_log("ending on SIGTERM\n")

    start, ready, end = written.splitlines()
    assert "no command was given" in start
    assert "the application is ready" in ready
    assert "ending on SIGTERM" in end


async def test_exchanges_are_shown(runtime):
    """At DEBUG, each request and its response are a line with names and no values."""
    async with (
        open_app() as app,
        open_adapter(
            runtime.address, [], port=app.port, AWS_LAMBDA_LOG_LEVEL="DEBUG"
        ) as adapter,
    ):
        await app.wait_requests(1)
        head = b"HTTP/1.1 201 Made\r\nx-made: secret\r\ncontent-length: 3\r\n\r\nabc"
        app.answers.append(Answer(head, "keep"))
        await runtime.invoke(
            {
                "httpMethod": "PUT",
                "path": "/shelf",
                "queryStringParameters": {"key": "secret"},
                "headers": {"host": "example.com", "x-key": "secret"},
                "body": "12",
            }
        )
        written = await adapter.wait_log("after")

    (line,) = [line for line in written.splitlines() if "DEBUG" in line]
    assert re.fullmatch(
        r"lambda-adapter: DEBUG PUT /shelf \(2 bytes; host, x-key, x-forwarded-proto,"
        r" content-length, x-amzn-request-context, x-amzn-lambda-context,"
        r" x-amzn-requestid\) returned status 201 after [0-9.]+ ms"
        r" \(3 bytes; x-made, content-length\)"
        r" RequestId: \S+",
        line,
    )


CONFIGURES = [
    *("dictionary", "named", "ini", "disables", "empties", "shuts_down", "forces"),
    *("replaces_stderr", "closes_stderr", "makes_records", "renames_levels"),
    *("closes_both", "replaces_print"),
]
"""What tests/programs/logging_app.py can do to logging and to stderr."""


@pytest.mark.parametrize("within", ["0", "1"])
@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
@pytest.mark.parametrize("configures", CONFIGURES)
async def test_application_can_not_silence_it(runtime, configures, kind, within):
    """Whatever an application does to logging, the adapter's lines are in the log."""
    async with open_adapter(
        runtime.address,
        ["--app-dir", PROGRAMS, f"--{kind}", f"logging_app:{kind}"],
        CONFIGURES=configures,
        WITHIN=within,
    ) as adapter:
        posted = await runtime.invoke(http_event("/raises"))
        adapter.process.send_signal(signal.SIGTERM)
        written = await adapter.wait_log("ending on SIGTERM")

    assert posted.json()["statusCode"] == 500
    assert re.search(
        "^lambda-adapter: ERROR .*RequestId: request-1$", written, re.MULTILINE
    )
    assert "ValueError: cause" in written


def test_stderr_that_does_not_block():
    """No line is lost if stderr is full, where an application has it not block."""
    script = """
import os, threading
from lambda_adapter.observe.logs import configure, log

end, stderr = os.pipe()
os.dup2(stderr, 2)
os.set_blocking(2, False)
os.set_blocking(end, False)
configure("text", "INFO", is_shared=True)

def use_up(function):
    try:
        while got := function():
            yield got
    except BlockingIOError:
        pass

list(use_up(lambda: os.write(stderr, bytes(4096))))
thread = threading.Thread(target=log.info, args=("a line",))
thread.start()
thread.join(0.2)
list(use_up(lambda: os.read(end, 65536)))
thread.join()
print(b"".join(use_up(lambda: os.read(end, 65536))).lstrip(bytes(1)).decode())
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
        timeout=30,
    )

    assert run.stdout == b"lambda-adapter: INFO a line\n\n"


async def test_metrics_are_not_silenced(runtime):
    """An application that closes stderr neither stops metrics nor the environment."""
    async with open_adapter(
        runtime.address,
        ["--app-dir", PROGRAMS, "--asgi", "logging_app:asgi"],
        CONFIGURES="closes_stderr",
        AWS_LWA_METRICS="emf",
    ) as adapter:
        posted = [await runtime.invoke(http_event("/info")) for _ in range(2)]
        adapter.process.send_signal(signal.SIGTERM)
        written = await adapter.wait_log("ending on SIGTERM")

    assert [each.json()["statusCode"] for each in posted] == [200, 200]
    assert written.count('"RequestId":"request-') == 2

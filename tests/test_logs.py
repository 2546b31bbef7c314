"""``logs``: one line for each thing that happened, in Lambda's two formats."""

import json
import logging
import sys

import pytest

from lambda_adapter.logs import JsonFormatter, TextFormatter, about, configure, log


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
    """A line says who speaks, how bad it is, what happened and to which invocation."""
    line = TextFormatter().format(
        record("no answer", logging.WARNING, **about("request-1"))
    )

    assert line == "lambda-adapter: WARN no answer RequestId: request-1"


def test_text_without_request_id():
    """A line that is about no invocation names none."""
    assert TextFormatter().format(record("ready")) == "lambda-adapter: INFO ready"


def test_json():
    """A line is an object with the keys of Lambda's own JSON logs."""
    line = JsonFormatter().format(
        record("no answer", logging.WARNING, 1.25, **about("request-1"))
    )

    assert json.loads(line) == {
        "timestamp": "1970-01-01T00:00:01.250Z",
        "level": "WARN",
        "logger": "lambda-adapter",
        "message": "no answer",
        "requestId": "request-1",
    }


def test_json_without_request_id():
    """A line that is about no invocation has no such key."""
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
    """A fraction is cut, because rounding it up would take the second along."""
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
    """Letters beyond ASCII are no control characters."""
    message = "grüße 你好 🎉"

    assert TextFormatter().format(record(message)).endswith(message)
    assert message in JsonFormatter().format(record(message))


def test_traceback():
    """A traceback goes below a line of text, and within a line of JSON."""
    try:
        raise ValueError("of the adapter")
    except ValueError:
        faulty = record("a fault", logging.ERROR, exc_info=sys.exc_info())

    text = TextFormatter().format(faulty)
    line = JsonFormatter().format(faulty)

    assert text.startswith("lambda-adapter: ERROR a fault\nTraceback")
    assert text.endswith("ValueError: of the adapter")
    assert len(line.splitlines()) == 1
    assert json.loads(line)["stackTrace"].endswith("ValueError: of the adapter")


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
    """Lambda says which format, and text is for whoever does not."""
    configure(environ)

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
    """What is below Lambda's level is not written; INFO is for whoever says none."""
    configure({"AWS_LAMBDA_LOG_LEVEL": level})

    assert log.isEnabledFor(least)
    assert not log.isEnabledFor(least - 1)


@pytest.mark.usefixtures("_restored")
def test_written_once_to_stderr(capsys):
    """However often it is configured, a line comes once, on stderr."""
    configure({})
    configure({})

    log.info("ready after %d ms", 5)

    assert capsys.readouterr() == ("", "lambda-adapter: INFO ready after 5 ms\n")

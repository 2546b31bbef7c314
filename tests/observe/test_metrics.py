"""``metrics``: CloudWatch's metrics as lines of the log, where a setting asks so."""

import json
import time

import pytest

from lambda_adapter.observe.metrics import MAX_TEXT, encode_line, seconds_since_exec
from tests.adapter import open_adapter
from tests.catalogue import SQS, function_url, http_api
from tests.scripted_app import Answer, open_app, said


def read(line):
    """Return a line's metrics, after it was seen to be one that CloudWatch takes.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    document = json.loads(line)
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert abs(document["_aws"]["Timestamp"] / 1_000 - time.time()) < 60
    assert directive["Namespace"] == "LambdaAdapter"
    assert directive["Dimensions"] == [["FunctionName"]]
    assert document["FunctionName"] == "function"
    names = [each["Name"] for each in directive["Metrics"]]
    units = {each["Name"]: each["Unit"] for each in directive["Metrics"]}
    for name in names:
        assert units[name] == ("Milliseconds" if name.endswith("Time") else "Count")
        assert document[name] >= 0
    return {name: document[name] for name in document if name != "_aws"}


def lines_of(log):
    """Return the metrics in a log, in their order."""
    return [read(line) for line in log.splitlines() if '"_aws"' in line]


async def measured(runtime, *invocations, **settings):
    """Return what a run of the adapter wrote: of its start, and of each invocation."""
    async with open_adapter(
        runtime.address, AWS_LWA_METRICS="emf", **settings
    ) as adapter:
        for payload in invocations:
            await runtime.invoke(payload)
        log = await adapter.wait_log(f'"RequestId":"request-{len(invocations)}"')
    start, *rest = lines_of(log)
    assert len(rest) == len(invocations)
    return start, rest


async def test_start(runtime):
    """A cold start is a line, with the time to readiness and the part of the checks."""
    start, _ = await measured(runtime, http_api())

    assert set(start) == {"FunctionName", "InitTime", "ReadinessTime"}
    assert 0 < start["ReadinessTime"] <= start["InitTime"] < 30_000


async def test_invocations(runtime):
    """Each invocation is a line with its times, its status, and whether it was cold."""
    _, (first, second) = await measured(runtime, http_api(), http_api("GET", "/seen"))

    assert set(first) == {
        *("FunctionName", "RequestId", "Status"),
        *("TotalTime", "ApplicationTime", "AdapterTime", "Retries", "Cold"),
    }
    assert (first["RequestId"], second["RequestId"]) == ("request-1", "request-2")
    assert (first["Cold"], second["Cold"]) == (1, 0)
    assert (first["Status"], first["Retries"]) == (200, 0)
    for each in first, second:
        parts = each["ApplicationTime"] + each["AdapterTime"]
        assert parts == pytest.approx(each["TotalTime"], abs=0.01)


async def test_failures(runtime):
    """A failed invocation has the type of its error, and the status of its reply."""
    garbage = {"host": "example.com"}
    _, (http, other) = await measured(
        runtime,
        http_api("POST", "/say", "no HTTP", garbage),
        {"Records": [], "body": "x"},
        AWS_LWA_PASS_THROUGH_PATH="/say",
    )

    assert (http["Status"], http["ErrorType"]) == (502, "Runtime.AppRequestError")
    assert other["ErrorType"] == "Runtime.AppRequestError"
    assert "Status" not in other


LARGE = said(200, bytes(7_000_000))
QUOTES = said(200, b'"' * 4_000_000)
"""What is twice as long in a JSON string."""


@pytest.mark.parametrize(
    ("event", "answer", "status"),
    [
        pytest.param(SQS, said(404), None, id="event, refused"),
        pytest.param(SQS, LARGE, None, id="event, too large"),
        pytest.param({"a": 1}, QUOTES, None, id="event, too large as JSON"),
        pytest.param(SQS, Answer(b""), None, id="event, no response"),
        pytest.param(SQS, said(418), None, id="event, an error status"),
        pytest.param(http_api(), said(404), 404, id="request, 404"),
        pytest.param(http_api(), LARGE, 502, id="request, too large"),
        pytest.param(http_api(), Answer(b""), 502, id="request, no response"),
        pytest.param(http_api(), said(418), None, id="request, an error status"),
    ],
)
async def test_status(runtime, event, answer, status):
    """A line has the client's status, and none if no client got one."""
    async with (
        open_app(said(), answer) as app,
        open_adapter(
            runtime.address,
            [],
            port=app.port,
            AWS_LWA_METRICS="emf",
            AWS_LWA_ERROR_STATUS_CODES="418",
        ) as adapter,
    ):
        await runtime.invoke(event)
        log = await adapter.wait_log('"RequestId":"request-1"')

    _, line = lines_of(log)
    assert line.get("Status") == status
    assert ("ErrorType" in line) is (status != 404)


async def test_event_without_http(runtime):
    """An event that is not HTTP is measured as well."""
    _, (line,) = await measured(runtime, SQS)

    assert (line["Status"], line["Cold"]) == (200, 1)


async def test_stream(runtime):
    """A stream's line has the time to its head and in all, not the adapter's share."""
    _, (line,) = await measured(
        runtime, function_url(), AWS_LWA_INVOKE_MODE="response_stream"
    )

    assert line["ApplicationTime"] <= line["TotalTime"]
    assert "AdapterTime" not in line


async def test_retries(runtime):
    """A request that is repeated over another connection counts as a retry."""
    answers = [said(), said(), Answer(b""), said()]
    async with (
        open_app(*answers) as app,
        open_adapter(
            runtime.address, [], port=app.port, AWS_LWA_METRICS="emf"
        ) as adapter,
    ):
        for _ in range(2):
            await runtime.invoke(http_api())
        log = await adapter.wait_log('"RequestId":"request-2"')

    assert [line["Retries"] for line in lines_of(log)[1:]] == [0, 1]


async def test_restore(runtime):
    """A restore from a snapshot has a separate line."""
    async with open_adapter(
        runtime.address,
        AWS_LAMBDA_INITIALIZATION_TYPE="snap-start",
        AWS_LWA_METRICS="emf",
    ) as adapter:
        await runtime.invoke(http_api())
        log = await adapter.wait_log('"RequestId"')

    start, restore, _ = lines_of(log)
    assert "InitTime" in start
    assert set(restore) == {"FunctionName", "RestoreTime"}


async def test_off(runtime):
    """Without the setting, nothing is written and nothing of it is imported."""
    async with open_adapter(runtime.address, PYTHONVERBOSE="1") as adapter:
        await runtime.invoke(http_api())
        log = await adapter.wait_log("lambda_adapter.serve.invoke_loop")

    assert '"_aws"' not in log
    assert "metrics" not in log
    assert "metered" not in log


def test_line_is_bounded():
    """Texts are cut, so that a line stays one event of CloudWatch's, and one line."""
    line = encode_line({"A": "x\n" * MAX_TEXT}, {"BTime": 1.23456})

    assert len(line) < 1_000
    assert line.count("\n") == 1
    assert line.endswith("\n")
    document = json.loads(line)
    assert document["A"] == ("x\n" * MAX_TEXT)[:MAX_TEXT]
    assert document["BTime"] == 1.235


def test_seconds_since_exec(tmp_path):
    """A process's age is counted from its start, before Python's first line."""
    assert 0 < seconds_since_exec() < time.monotonic()
    assert seconds_since_exec(str(tmp_path)) == 0

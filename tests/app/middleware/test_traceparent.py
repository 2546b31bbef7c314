"""``trace``: Lambda's trace as W3C's trace context, where a setting asks for it."""

import json

import pytest

from lambda_adapter.app.middleware.traceparent import (
    MAX_VALUE,
    called_with,
    traceparent_of,
)
from tests.catalogue import SQS, http_api
from tests.serve.invoke_loop.function import open_function

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
X_RAY = f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1"
W3C = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
CALLERS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ON = {"AWS_LWA_TRACEPARENT": "true"}


def client_context(**w3c):
    return json.dumps({"custom": {"a": 1}, "w3c": w3c})


@pytest.mark.parametrize(
    ("trace_id", "traceparent"),
    [
        (X_RAY, W3C),
        (f"Sampled=1;Parent=53995c3f42cd8ad8;Root={ROOT}", W3C),
        (X_RAY.replace("Sampled=1", "Sampled=0"), W3C[:-1] + "0"),
        (X_RAY.replace(";Sampled=1", ""), W3C[:-1] + "0"),
        (X_RAY.replace("Sampled=1", "Sampled=?"), W3C[:-1] + "0"),
        (X_RAY + ";Lineage=1:a87bd80c:1|68fd508a:5", W3C),
    ],
)
def test_traceparent(trace_id, traceparent):
    """X-Ray's ids are W3C's in another spelling; only what is sampled has the flag."""
    assert traceparent_of(trace_id) == traceparent


@pytest.mark.parametrize(
    "trace_id",
    [
        "",
        f"Root={ROOT}",
        "Root=1-2-3;Parent=53995c3f42cd8ad8;Sampled=1",
        X_RAY.replace("53995c3f42cd8ad8", "53995C3F42CD8AD"),
        X_RAY.replace("53995c3f42cd8ad8", "0" * 16),
        "Root=1-00000000-000000000000000000000000;Parent=53995c3f42cd8ad8",
        X_RAY.replace("8ad8", "8ad8\n"),
        ";;=;" * 1_000,
    ],
)
def test_no_traceparent(trace_id):
    """A trace without a parent, or with an ID that W3C forbids, is left out."""
    assert traceparent_of(trace_id) == ""


def test_called_with():
    """A caller's trace context is in the client context, under ``w3c``."""
    given = client_context(traceparent=CALLERS, tracestate="a=b", baggage="k=v", x="y")

    assert called_with(given) == [
        (b"traceparent", CALLERS.encode()),
        (b"tracestate", b"a=b"),
        (b"baggage", b"k=v"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        "",
        "{",
        "[]",
        "null",
        '{"w3c": null}',
        '{"w3c": "00-"}',
        client_context(traceparent=1, tracestate=None, baggage=["a"]),
        client_context(traceparent=CALLERS.upper(), baggage=""),
        client_context(traceparent=CALLERS + "\r\nx: y", baggage="a\r\nb: c"),
        client_context(tracestate="a=b"),
        client_context(baggage="é"),
        client_context(baggage="a" * (MAX_VALUE + 1)),
        "[" * 3_000,
    ],
)
def test_called_with_nothing_usable(given):
    """An invalid, too long or unsafe value of the caller is left out."""
    assert called_with(given) == []


@pytest.mark.parametrize("event", [http_api(), SQS], ids=["HTTP", "SQS"])
async def test_request_without_a_trace(runtime, event):
    """A request that has no trace context gets one, made of Lambda's trace."""
    async with open_function(runtime, ON) as function:
        request = await function.seen(event, lambda_runtime_trace_id=X_RAY)

    assert request.values(b"traceparent") == [W3C.encode()]
    assert request.values(b"x-amzn-trace-id") == [X_RAY.encode()]


async def test_caller_goes_before_lambda(runtime):
    """A caller's trace context and baggage precede Lambda's."""
    given = client_context(traceparent=CALLERS, baggage="k=v")
    async with open_function(runtime, ON) as function:
        request = await function.seen(
            SQS, lambda_runtime_trace_id=X_RAY, lambda_runtime_client_context=given
        )

    assert request.values(b"traceparent") == [CALLERS.encode()]
    assert request.values(b"baggage") == [b"k=v"]


async def test_client_goes_before_all(runtime):
    """A client's own trace context is forwarded unchanged, and no other."""
    event = http_api(headers={"host": "a", "Traceparent": CALLERS, "tracestate": "c=d"})
    given = client_context(traceparent=W3C, tracestate="a=b")
    async with open_function(runtime, ON) as function:
        request = await function.seen(
            event, lambda_runtime_trace_id=X_RAY, lambda_runtime_client_context=given
        )

    assert request.values(b"traceparent") == [CALLERS.encode()]
    assert request.values(b"tracestate") == [b"c=d"]


async def test_state_without_its_parent(runtime):
    """A client's ``tracestate`` without ``traceparent`` is removed.

    Its ``baggage`` stays, in place of the caller's.
    """
    event = http_api(headers={"host": "a", "Tracestate": "c=d", "Baggage": "e=f"})
    given = client_context(traceparent=CALLERS, tracestate="a=b", baggage="k=v")
    async with open_function(runtime, ON) as function:
        request = await function.seen(event, lambda_runtime_client_context=given)

    assert request.values(b"tracestate") == [b"a=b"]
    assert request.values(b"baggage") == [b"e=f"]


@pytest.mark.parametrize(
    ("settings", "trace_id"),
    [({}, X_RAY), (ON, f"Root={ROOT}")],
    ids=["off", "no parent"],
)
async def test_no_trace_is_made_up(runtime, settings, trace_id):
    """Without the setting, or a whole trace of Lambda's, no header is added."""
    async with open_function(runtime, settings) as function:
        request = await function.seen(http_api(), lambda_runtime_trace_id=trace_id)

    assert request.values(b"traceparent") == []

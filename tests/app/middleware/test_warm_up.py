"""``warm_up``: events that keep an environment warm, and no application sees."""

import json

import pytest
import trio

from tests.adapter import open_adapter
from tests.catalogue import SQS, http_api, load, web_socket
from tests.emulator import PROJECT
from tests.scripted_app import open_app, said
from tests.serve.invoke_loop.function import assert_failed, open_function

ON = {"AWS_LWA_WARM_UP": "true"}
SCHEDULE: dict[str, object] = {
    "source": "aws.events",
    "detail-type": "Scheduled Event",
    "detail": {},
}
SCHEDULER = SCHEDULE | {"source": "aws.scheduler"}


def rule(name):
    return f"arn:aws:events:eu-west-1:123456789012:rule/{name}"


WARM_UPS: dict[str, dict[str, object]] = {
    "serverless": {"source": "serverless-plugin-warmup"},
    "lambda-warmer": {"warmer": True, "concurrency": 3},
    "lambda-warmer, a copy": {"warmer": True, "__WARMER_INVOCATION__": 2},
    "opennext": {"type": "warmer", "warmerId": "w", "index": 0, "delay": 1},
    "vapor": {"vaporWarmer": True, "vaporWarmerPings": 5},
    "a number": {"warmer": 1},
    "a word": {"warmup": "true"},
    "rule": SCHEDULE | {"resources": [rule("orders-warmer")]},
    "rule of CDK": SCHEDULE | {"resources": [rule("Stack-WarmerRule1A2B3C-9Z")]},
    "rule of Zappa": SCHEDULE
    | {"resources": [rule("zappa-keep-warm-handler.keep_warm_callback")]},
    "rule in words": SCHEDULE | {"resources": [rule("x"), rule("KeepLambdaWarm")]},
    "schedule": SCHEDULER
    | {"resources": ["arn:aws:scheduler:eu-west-1:1:schedule/default/api-warmup"]},
}

OTHERS = {
    "empty": {},
    "off": {"warmer": False},
    "null": {"warmer": None, "vaporWarmer": 0},
    "an object": {"warmer": {"id": 7}},
    "another source": {"source": "orders"},
    "nested": {"event": {"warmer": True}},
    "a text": "warmer",
    "a list": [{"warmer": True}],
    "a batch": {"Records": [], "warmer": True},
    "a large event": {"warmer": True, "data": "x" * 8_192},
    "rule of another name": SCHEDULE | {"resources": [rule("nightly-report")]},
    "rule of a warm name": SCHEDULE | {"resources": [rule("swarm-cleanup")]},
    "rule without a name": SCHEDULE | {"resources": []},
    "rule of odd types": SCHEDULE | {"resources": [7, None]},
    "event of another source": SCHEDULE
    | {"source": "aws.s3", "resources": [rule("warmer")]},
    "schedule": load("schedule"),
    "sqs": SQS,
    "websocket": web_socket(body='{"warmer":true}'),
}


@pytest.mark.parametrize("indent", [None, 2], ids=["compact", "indented"])
@pytest.mark.parametrize("event", WARM_UPS.values(), ids=WARM_UPS)
async def test_warm_up(runtime, event, indent):
    """A warm-up event of any usual shape has a reply, and no application sees it."""
    async with open_function(runtime, ON) as function:
        posted = await function.invoke(json.dumps(event, indent=indent).encode())

        assert (posted.kind, posted.json()["type"]) == ("response", "warmer")
        assert function.app.requests == []
        await function.assert_works()


@pytest.mark.parametrize("event", OTHERS.values(), ids=OTHERS)
async def test_other_events(runtime, event):
    """An event that only resembles a warm-up event goes to the application."""
    async with open_function(runtime, ON) as function:
        posted = await function.invoke(event, said(200, b'"seen"'))

        assert (posted.body, len(function.app.requests)) == (b'"seen"', 1)


async def test_clients(runtime):
    """A client's request is never taken for a warm-up event."""
    async with open_function(runtime, ON) as function:
        body = json.dumps(WARM_UPS["serverless"])
        request = await function.seen(http_api("POST", "/events", body=body))

    assert request.body == body.encode()


@pytest.mark.parametrize("event", WARM_UPS.values(), ids=WARM_UPS)
async def test_off(runtime, event):
    """Unless the setting is on, a warm-up event is an event like any other."""
    async with open_function(runtime) as function:
        posted = await function.invoke(event, said(404))

        assert_failed(posted, "Runtime.AppRequestError")
        assert len(function.app.requests) == 1


@pytest.mark.parametrize(
    ("event", "is_warm_up"),
    [
        ({"ping": True}, True),
        ({"source": "my-pinger"}, True),
        ({"version": 7}, True),
        ({"source": "serverless-plugin-warmup"}, True),
        ({"ping": "no"}, False),
        ({"source": "my"}, False),
    ],
)
async def test_further_shapes(runtime, event, is_warm_up):
    """A list of keys and values adds further shapes to the usual ones."""
    settings = {"AWS_LWA_WARM_UP": "ping:true, source:my-pinger, version:7"}
    async with open_function(runtime, settings) as function:
        await function.invoke(event, said(200, b"{}"))

        assert len(function.app.requests) == (not is_warm_up)


@pytest.mark.parametrize(
    ("delay", "waited"), [(75, 0.075), (900_000, 1), (-1, 0), ("soon", 0), (None, 0)]
)
async def test_delay(clock, runtime, delay, waited):
    """OpenNext's warmer names a delay, so that several environments are warmed."""
    event = {**WARM_UPS["opennext"], "delay": delay}
    async with open_function(runtime, ON) as function:
        began = trio.current_time()
        await function.invoke(event)

        assert trio.current_time() - began == pytest.approx(waited, abs=0.02)


@pytest.mark.parametrize(
    ("option", "program"), [("--asgi", "asgi_app:app"), ("--wsgi", "wsgi_app:app")]
)
async def test_in_process(runtime, option, program):
    """An application in the adapter's process sees no warm-up event."""
    programs = str(PROJECT / "tests" / "programs")
    command = ["--app-dir", programs, option, program]
    async with open_adapter(runtime.address, command, AWS_LWA_WARM_UP="true"):
        events = [WARM_UPS["serverless"], http_api(), WARM_UPS["vapor"]]
        posted = [await runtime.invoke(event) for event in events]

    assert posted[0].json() == posted[2].json()
    assert posted[0].json()["type"] == "warmer"
    assert "statusCode" in posted[1].json()


async def test_through_the_whole_adapter(runtime):
    """The setting works from the environment on; the reply names the environment."""
    async with (
        open_app() as app,
        open_adapter(
            runtime.address,
            [],
            port=app.port,
            AWS_LAMBDA_LOG_STREAM_NAME="2026/01/02/[$LATEST]abc",
            AWS_LWA_WARM_UP="true",
        ),
    ):
        posted = await runtime.invoke(WARM_UPS["opennext"])

    assert posted.json() == {"type": "warmer", "serverId": "2026/01/02/[$LATEST]abc"}
    assert len(app.requests) == 1  # the readiness check

"""The example of events, on gunicorn, behind the zipapp: each kind has its handler."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lambda_adapter.local.samples import sample
from tests.adapter import open_adapter
from tests.catalogue import http_api
from tests.e2e.applications import EXAMPLES
from tests.e2e.conftest import SHIV_ROOT
from tests.emulator import BOOTSTRAP

GUNICORN = str(Path(sys.executable).with_name("gunicorn"))
ENVIRON: dict[str, Any] = {"PYTHONDONTWRITEBYTECODE": "1", **SHIV_ROOT}


@pytest.fixture
async def events(runtime):
    """Serve the example as on Lambda."""
    options = ["--no-control-socket", "--chdir", str(EXAMPLES / "events")]
    async with open_adapter(
        runtime.address,
        [GUNICORN, *options, "app:app"],
        adapter=[str(BOOTSTRAP)],
        **ENVIRON,
    ):
        yield runtime


def batch(kind, *changes):
    """Return an event of several records, each with its own changes."""
    event: Any = sample(kind)
    (record,) = event["Records"]
    return {"Records": [{**record, **change} for change in changes]}


REPLIES = {
    "sqs": {"batchItemFailures": []},
    "dynamodb": {"batchItemFailures": []},
    "sns": {"handled": ["order 7"]},
    "s3": {"handled": ["object example/orders/7.json of 12 bytes"]},
    "schedule": {"handled": ["what was due at 2026-01-02T03:04:05Z"]},
    "eventbridge": {"handled": ["order 7"]},
}


async def test_each_kind(events):
    """An event reaches the handler of its kind."""
    seen = {kind: (await events.invoke(sample(kind))).json() for kind in REPLIES}

    assert seen == REPLIES


async def test_failed_message(events):
    """A message of a queue that fails is sent again, and no other message is."""
    good, bad = {"body": '{"order": 1}'}, {"body": "no JSON"}
    event = batch("sqs", *({"messageId": name, **good} for name in "ab"))
    event["Records"][1:1] = batch("sqs", {"messageId": "c", **bad})["Records"]

    posted = await events.invoke(event)

    assert posted.json() == {"batchItemFailures": [{"itemIdentifier": "c"}]}


async def test_failed_message_in_order(events):
    """After a failed message of a FIFO queue, no later one is processed before it."""
    queue = {"eventSourceARN": "arn:aws:sqs:eu-west-1:1:orders.fifo"}
    bodies = {"a": '{"order": 1}', "b": "{}", "c": '{"order": 3}'}
    messages = [{"messageId": k, "body": v, **queue} for k, v in bodies.items()]

    posted = await events.invoke(batch("sqs", *messages))

    failed = [{"itemIdentifier": name} for name in "bc"]
    assert posted.json() == {"batchItemFailures": failed}


async def test_failed_change(events):
    """After a failed change of a table, the stream is read again from there."""
    bad = {"dynamodb": {"SequenceNumber": "2", "NewImage": {}, "Keys": {}}}
    last = {"dynamodb": {**bad["dynamodb"], "SequenceNumber": "3"}}

    posted = await events.invoke(batch("dynamodb", {}, bad, last))

    assert posted.json() == {"batchItemFailures": [{"itemIdentifier": "2"}]}


async def test_key_of_an_object(events):
    """The key of an object is decoded: S3 encodes it as in a query."""
    s3 = {"bucket": {"name": "b"}, "object": {"key": "a+b%2Bc/%C3%A9", "size": 1}}

    posted = await events.invoke(batch("s3", {"s3": s3}))

    assert posted.json() == {"handled": ["object b/a b+c/é of 1 bytes"]}


UNKNOWN = [
    {},
    [],
    {"Records": []},
    {"Records": [{"eventSource": "aws:new"}]},
    batch("sns", {"Sns": {"Message": "no JSON"}}),
    *map(sample, ("kinesis", "cognito", "websocket")),
]


async def test_event_without_a_handler(events):
    """An event that no handler takes fails the invocation: it is not lost."""
    posted = [await events.invoke(event) for event in UNKNOWN]

    assert [each.kind for each in posted] == ["error"] * len(UNKNOWN)


async def test_client(events):
    """A client can send no event."""
    fields = {"host": "example.com", "content-type": "application/json"}
    body = json.dumps(sample("sqs"))

    posted = await events.invoke(http_api("POST", "/events", body, fields))

    assert posted.json()["statusCode"] == 403

"""``aws``: the event and the context, as AWS's runtime gives them to a handler."""

import json
import time
from typing import Any

import msgspec
import pytest

from lambda_adapter.app.in_process.lambda_context import (
    Function,
    LambdaContext,
    decoded_event,
)
from lambda_adapter.config import Config
from lambda_adapter.runtime.api import Invocation
from tests.catalogue import NAMES, load
from tests.events.examples import encode


@pytest.mark.parametrize("name", NAMES)
def test_objects(name):
    """An object of an event is a dict, for Python and for C."""
    expected = load(name)
    event = decoded_event(encode(expected))

    assert type(event) is dict
    assert event == expected
    assert json.loads(json.dumps(event)) == expected
    assert msgspec.json.decode(msgspec.json.encode(event)) == expected
    assert event | {"a": 1} == expected | {"a": 1}
    event["own"] = 2
    assert event.pop("own") == 2


@pytest.mark.e2e
@pytest.mark.parametrize("name", NAMES)
def test_objects_of_pydantic(name):
    """An object of an event is a dict for pydantic, which reads it in Rust."""
    from pydantic import TypeAdapter

    event = decoded_event(encode(load(name)))

    assert TypeAdapter[Any](dict).dump_python(event) == load(name)


@pytest.mark.parametrize("payload", [b"[1]", b'"text"', b" 3", b"null"])
def test_others(payload):
    """An event that is not an object is decoded as the JSON that it is."""
    assert decoded_event(payload) in ([1], "text", 3, None)


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        (b'"\xed\xa0\x80"', "\N{REPLACEMENT CHARACTER}" * 3),
        (b'{"a":"\xff"}', {"a": "\N{REPLACEMENT CHARACTER}"}),
        (b"[" * 200_000 + b"]" * 200_000, None),
        (b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", {}),
        (b"no JSON", None),
        (b"{no JSON", {}),
    ],
    ids=["half surrogate", "no UTF-8", "deep", "deep object", "none", "no object"],
)
def test_odd_events(payload, event):
    """An event that can't be decoded does not fail the application."""
    decoded = decoded_event(payload)

    assert decoded == event


FUNCTION = Function(
    Config(
        {
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_VERSION": "7",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_GROUP_NAME": "group",
            "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        }
    )
)


def context(**fields):
    return LambdaContext(Invocation("id", b"{}", **fields), FUNCTION)


def test_names():
    """A context has the names and types of AWS's own runtime."""
    it = context(function_arn="arn", tenant_id="t")

    assert it.function_name == "f"
    assert it.function_version == "7"
    assert it.memory_limit_in_mb == "512"
    assert (it.log_group_name, it.log_stream_name) == ("group", "stream")
    assert (it.aws_request_id, it.invoked_function_arn) == ("id", "arn")
    assert it.tenant_id == "t"


def test_remaining_time():
    """The remaining time is that until Lambda's deadline, and never below 0."""
    soon = context(deadline_ms=int((time.time() + 10) * 1000))

    assert 5_000 < soon.get_remaining_time_in_millis() <= 10_000
    assert context(deadline_ms=1).get_remaining_time_in_millis() == 0


def test_client_context():
    """A mobile client's context is an object, and None without one."""
    it = context(
        client_context='{"client":{"installation_id":"i"},"custom":{"a":1},"env":{}}',
        cognito_identity='{"cognitoIdentityId":"c","cognitoIdentityPoolId":"p"}',
    )

    assert it.client_context.client.installation_id == "i"
    assert it.client_context.custom == {"a": 1}
    assert it.identity.cognito_identity_id == "c"
    assert it.identity.cognito_identity_pool_id == "p"
    assert context().client_context is None
    assert context(client_context="no JSON").client_context is None
    assert context().identity.cognito_identity_id is None


def test_log(capsys):
    """A context's ``log`` writes a message unchanged, on a separate line."""
    for message in ("one", "two\n", 3):
        context().log(message)

    assert capsys.readouterr().out == "one\ntwo\n3\n"

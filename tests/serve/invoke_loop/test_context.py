"""``invoke_loop``: what a request says of its invocation."""

import json

import pytest

from tests.catalogue import SQS, http_api
from tests.fake_runtime_api import FUNCTION_ARN
from tests.serve.invoke_loop.function import in_seconds
from tests.serve.invoke_loop.kinds import KINDS


async def test_lambda_context(function):
    """A request has Lambda's context in a header, in the Rust adapter's shape."""
    deadline = in_seconds(30)

    request = await function.seen(
        http_api(),
        lambda_runtime_deadline_ms=deadline,
        lambda_runtime_trace_id="Root=1-2-3",
        lambda_runtime_client_context='{"custom": {"a": 1}}',
        lambda_runtime_cognito_identity='{"cognitoIdentityId":"i"}',
        lambda_runtime_aws_tenant_id="tenant",
    )

    (value,) = request.values(b"x-amzn-lambda-context")
    assert json.loads(value) == {
        "request_id": "request-1",
        "deadline": int(deadline),
        "invoked_function_arn": FUNCTION_ARN,
        "xray_trace_id": "Root=1-2-3",
        "client_context": {"custom": {"a": 1}},
        "identity": {"cognitoIdentityId": "i"},
        "tenant_id": "tenant",
        "env_config": {
            "function_name": "function",
            "memory": 512,
            "version": "$LATEST",
            "log_stream": "",
            "log_group": "",
        },
    }
    assert request.values(b"x-amzn-trace-id") == [b"Root=1-2-3"]
    assert request.values(b"x-amz-tenant-id") == [b"tenant"]


@pytest.mark.parametrize("event", [http_api(), SQS], ids=["HTTP", "SQS"])
async def test_request_id(function, event):
    """Each request has the invocation's request ID in a header."""
    request = await function.seen(event)

    (context,) = request.values(b"x-amzn-lambda-context")
    assert request.values(b"x-amzn-requestid") == [b"request-1"]
    assert json.loads(context)["request_id"] == "request-1"


async def test_sparse_lambda_context(function):
    """A value that Lambda does not send is null in the context, not missing."""
    request = await function.seen(SQS)

    context = json.loads(request.values(b"x-amzn-lambda-context")[0])
    nothing = ["xray_trace_id", "client_context", "identity", "tenant_id"]
    assert {name: context[name] for name in nothing} == dict.fromkeys(nothing)
    assert request.values(b"x-amz-tenant-id") == []


@pytest.mark.parametrize(
    "document", ["1e400", "-0", '"x"', "[]", "false", '{"a":1,"a":2}']
)
async def test_odd_client_context(function, document):
    """A caller's client context is forwarded unchanged, whatever JSON it is."""
    request = await function.seen(http_api(), lambda_runtime_client_context=document)

    (value,) = request.values(b"x-amzn-lambda-context")
    assert f'"client_context":{document},'.encode() in value


@pytest.mark.parametrize(
    "document", ["{", "nothing", '{"a":1}, "request_id":"x"', "[" * 2_000, "NaN"]
)
async def test_client_context_that_is_no_json(function, document):
    """A client context that is not JSON is null."""
    request = await function.seen(http_api(), lambda_runtime_client_context=document)

    context = json.loads(request.values(b"x-amzn-lambda-context")[0])
    assert context["client_context"] is None
    assert context["request_id"] == "request-1"


@pytest.mark.parametrize(
    "name",
    [
        "x-amzn-lambda-context",
        "X-Amzn-Lambda-Context",
        "x_amzn_lambda_context",
        "x-amzn-request-context",
        "x-amz-tenant-id",
        "x-amzn-requestid",
        "X-Amzn-RequestId",
    ],
)
@pytest.mark.parametrize(("event", "keys"), KINDS)
async def test_forged_field(function, event, keys, name):
    """A client can't send the headers that the adapter adds."""
    request = await function.seen(
        event("GET", "/", headers={"host": "example.com", name: "forged"})
    )

    assert b"forged" not in request.head

"""``runtime_api``: Lambda's Runtime API, as an environment sees it."""

import base64
import json

import pytest
import trio

from lambda_adapter.local.invocation import Failure, Invocation
from lambda_adapter.runtime.api import DELIMITER
from tests.local.runtime import NEXT, RUNTIME, open_invocation, open_runtime


async def test_next():
    """An event has its ID, its deadline, its function and its trace."""
    async with open_runtime() as (api, runtime):
        invocation = Invocation(b'{"an":"event"}')
        assert not api.asked.is_set()
        api.put(invocation)

        status, fields, body = await runtime.ask("GET", NEXT)

        assert (status, body) == (200, invocation.payload)
        assert api.asked.is_set()
        assert fields["lambda-runtime-aws-request-id"] == invocation.request_id
        left = int(fields["lambda-runtime-deadline-ms"]) / 1000 - invocation.at
        assert 2.5 < left < 4
        assert fields["lambda-runtime-invoked-function-arn"].endswith(":function")
        assert fields["lambda-runtime-trace-id"].startswith("Root=1-")


async def test_reply():
    """A reply is taken; the invocation is over once the runtime asks for the next."""
    async with open_invocation() as (runtime, invocation, target):
        status, _, body = await runtime.ask("POST", f"{target}/response", b'"a reply"')

        assert (status, body) == (202, b'{"status":"OK"}\n')
        assert invocation.reply == "a reply"
        assert not invocation.over.is_set()
        await runtime.ask_in_vain("GET", NEXT)
        with trio.fail_after(10):
            await invocation.over.wait()


async def test_error():
    """An error is taken with its type and its message."""
    async with open_invocation() as (runtime, invocation, target):
        report = json.dumps({"errorType": "Own", "errorMessage": "why"}).encode()
        status, _, _ = await runtime.ask("POST", f"{target}/error", report)

        assert (status, invocation.failure) == (202, Failure("Own", "why"))


async def test_error_that_is_no_json():
    """An error whose report can't be read has the type of its field."""
    async with open_invocation() as (runtime, invocation, target):
        kind = ("Lambda-Runtime-Function-Error-Type", "Function.Own")
        await runtime.ask("POST", f"{target}/error", b"why", kind)

        assert invocation.failure == Failure("Function.Own", "why")


async def test_largest_reply():
    """A reply over 6 MB is refused with 413, and the invocation has failed."""
    async with open_invocation() as (runtime, invocation, target):
        status, _, body = await runtime.ask(
            "POST", f"{target}/response", b"x" * 6_291_557
        )

        assert (status, json.loads(body)["errorType"]) == (413, "RequestEntityTooLarge")
        assert invocation.failure
        assert invocation.failure.error_type == "Function.ResponseSizeTooLarge"


async def test_second_reply():
    """A second reply to an invocation is refused with 403."""
    async with open_invocation() as (runtime, invocation, target):
        await runtime.ask("POST", f"{target}/response", b"1")
        status, _, body = await runtime.ask("POST", f"{target}/response", b"2")

        assert (status, invocation.reply) == (403, 1)
        assert json.loads(body)["errorType"] == "InvalidStateTransition"


async def test_unknown_invocation():
    """A reply to an unknown invocation is refused with 400."""
    async with open_runtime() as (_, runtime):
        target = f"{RUNTIME}/invocation/unknown/response"
        status, _, body = await runtime.ask("POST", target)

        assert (status, json.loads(body)["errorType"]) == (400, "InvalidRequestID")


async def test_init_error():
    """An init error is kept for the caller that started the environment."""
    async with open_runtime() as (api, runtime):
        report = json.dumps({"errorType": "Own", "errorMessage": "why"}).encode()
        status, _, _ = await runtime.ask("POST", f"{RUNTIME}/init/error", report)

        assert (status, api.init_failure) == (202, Failure("Own", "why"))


async def test_extension():
    """An extension registers, and gets no events."""
    async with open_runtime() as (_, runtime):
        name = ("Lambda-Extension-Name", "adapter")
        target = "/2020-01-01/extension/register"
        status, fields, body = await runtime.ask("POST", target, b"{}", name)

        assert status == 200
        assert fields["lambda-extension-identifier"]
        assert json.loads(body)["functionName"] == "function"


async def test_unknown_path():
    """What the Runtime API does not have is 404."""
    async with open_runtime() as (_, runtime):
        assert (await runtime.ask("GET", "/x"))[0] == 404


STREAMED = ("Lambda-Runtime-Function-Response-Mode", "streaming")


async def test_stream():
    """A streamed reply begins with its prelude; pieces follow."""
    async with open_invocation() as (runtime, invocation, target):
        await runtime.begin("POST", f"{target}/response", STREAMED)
        await runtime.send(b'{"statusCode":200}' + DELIMITER[:3])
        await runtime.send(DELIMITER[3:] + b"one")
        with trio.fail_after(10):
            await invocation.replied.wait()
        assert invocation.pieces
        assert invocation.reply == {"statusCode": 200}
        with trio.fail_after(10):
            assert await invocation.pieces.receive() == b"one"
            await runtime.send(b"two")
            assert await invocation.pieces.receive() == b"two"

        status, _, _ = await runtime.end()

        assert status == 202
        assert [piece async for piece in invocation.pieces] == []
        assert invocation.failure is None


async def test_stream_that_fails():
    """The error in a stream's trailers is known before the stream ends."""
    async with open_invocation() as (runtime, invocation, target):
        report = json.dumps({"errorType": "Own", "errorMessage": "why"}).encode()
        trailers = [
            ("Lambda-Runtime-Function-Error-Type", "Function.Own"),
            ("Lambda-Runtime-Function-Error-Body", base64.b64encode(report).decode()),
        ]
        await runtime.begin("POST", f"{target}/response", STREAMED)
        await runtime.send(b"{}" + DELIMITER)
        await runtime.end(trailers)

        assert invocation.pieces
        assert [piece async for piece in invocation.pieces] == []
        assert invocation.failure == Failure("Own", "why")


@pytest.mark.parametrize("body", [b"{}", b"x" * 16_385])
async def test_stream_without_a_prelude(body: bytes):
    """A stream whose first 16 KB hold no delimiter is one without a prelude."""
    async with open_invocation() as (runtime, invocation, target):
        await runtime.begin("POST", f"{target}/response", STREAMED)
        await runtime.send(body)
        if len(body) > 2:
            with trio.fail_after(10):
                await invocation.replied.wait()
            assert invocation.reply_payload == b""
            return
        await runtime.end()

        assert invocation.reply_payload == b"{}"


async def test_stream_whose_client_is_gone():
    """A stream is read to its end, even if its client is gone."""
    async with open_invocation() as (runtime, invocation, target):
        await runtime.begin("POST", f"{target}/response", STREAMED)
        await runtime.send(b"{}" + DELIMITER)
        await invocation.replied.wait()
        assert invocation.pieces
        invocation.pieces.close()
        await runtime.send(b"unread")

        status, _, _ = await runtime.end()

        assert status == 202

"""Streamed replies, as a runtime sends them."""

import base64
import json

import pytest
import trio

from lambda_adapter.local.invocation import Failure
from lambda_adapter.runtime.api import DELIMITER
from tests.local.runtime import open_invocation

STREAMED = ("Lambda-Runtime-Function-Response-Mode", "streaming")


async def test_stream():
    """A streamed reply begins with its prelude, and goes on piece by piece."""
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
    """A stream is taken to its end, even if nobody reads it any more."""
    async with open_invocation() as (runtime, invocation, target):
        await runtime.begin("POST", f"{target}/response", STREAMED)
        await runtime.send(b"{}" + DELIMITER)
        await invocation.replied.wait()
        assert invocation.pieces
        invocation.pieces.close()
        await runtime.send(b"unread")

        status, _, _ = await runtime.end()

        assert status == 202

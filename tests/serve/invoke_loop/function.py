"""A running invoke loop between its two neighbours, and what it may post."""

import base64
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass

import pytest
import trio

from lambda_adapter.app.app import Call, Transport
from lambda_adapter.app.client import HttpTransport
from lambda_adapter.app.middleware import build_stack
from lambda_adapter.config import Config
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.runtime.client import RuntimeClient
from lambda_adapter.runtime.context import encode_env_config
from lambda_adapter.serve.invoke_loop import InvokeLoop
from tests.adapter import environment
from tests.catalogue import SQS, function_url, http_api
from tests.fake_runtime_api import FakeRuntimeApi, Posted
from tests.scripted_app import FAULTS, Answer, ScriptedApp, open_app, said

HANG = Answer(b"", "hold")

STREAM_MODE = {"AWS_LWA_INVOKE_MODE": "response_stream"}

CHUNKED = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
"""The head of an answer that goes on as long as it likes."""


@dataclass
class Function:
    """A running invoke loop, and its two neighbours."""

    runtime: FakeRuntimeApi
    app: ScriptedApp

    async def invoke(self, payload: object, *answers: Answer, **fields: str) -> Posted:
        """Invoke, the application giving this response, and return what was posted."""
        self.app.answers.extend(answers)
        return await self.runtime.invoke(payload, **fields)

    async def seen(self, payload: object, **fields: str):
        """Invoke, and return the request that reached the application."""
        before = len(self.app.requests)
        await self.invoke(payload, **fields)
        (request,) = self.app.requests[before:]
        return request

    async def assert_works(self) -> None:
        """Serve an event of either kind."""
        self.app.answers.clear()
        posted = await self.invoke(http_api(), said(200, b"works"))
        assert posted.json()["body"] == "works"
        posted = await self.invoke(SQS, said(200, b'"works"'))
        assert (posted.kind, posted.body) == ("response", b'"works"')

    async def assert_streams(self) -> None:
        """Serve an event of any kind, one of them by a stream."""
        await self.assert_works()
        posted = await self.invoke(function_url(), said(200, b"streams"))
        assert (posted.prelude()["statusCode"], posted.content()) == (200, b"streams")
        assert posted.trailers == []

    def posts(self) -> list[str]:
        """Return the targets of all that was posted, or begun to be."""
        return [each.target for each in self.runtime.arriving if each.method == "POST"]


def loop_of(
    client: RuntimeClient, transport: Transport, settings: dict[str, str] | None = None
) -> InvokeLoop:
    """Return a loop that sits there, with these settings around its transport."""
    env_config = encode_env_config(Config(environment("127.0.0.1:9001", 8080, {})))
    config = Config(settings or {})
    return InvokeLoop(client, build_stack(transport, config), env_config, config)


@asynccontextmanager
async def running(
    runtime: FakeRuntimeApi, app: Transport, settings: dict[str, str] | None = None
):
    with closing(RuntimeClient("127.0.0.1", runtime.port)) as client:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(loop_of(client, app, settings).run)
            yield
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_function(
    runtime: FakeRuntimeApi, settings: dict[str, str] | None = None
) -> AsyncIterator[Function]:
    """Run an invoke loop with these settings, in front of a scripted application."""
    async with open_app() as app:
        with closing(HttpTransport(("127.0.0.1", app.port), 4)) as client:
            async with running(runtime, client, settings):
                yield Function(runtime, app)


@asynccontextmanager
async def invoking(function: Function, payload: object, *answers: Answer, **fields):
    """Have an invocation under way, whether or not it ever has a reply."""
    async with trio.open_nursery() as nursery:

        async def invoke() -> None:
            await function.invoke(payload, *answers, **fields)

        nursery.start_soon(invoke)
        yield
        nursery.cancel_scope.cancel()


def in_seconds(seconds: float) -> str:
    """Return a deadline."""
    return str(int((time.time() + seconds) * 1000))


def assert_refused(
    posted: Posted, status: int, error_type: str, keys: set[str] | None = None
) -> None:
    """The client was told so, in its own shape, and where to look it up."""
    assert posted.kind == "response"
    reply = posted.json()
    if keys:
        assert set(reply) == keys
    assert reply["statusCode"] == status
    assert reply["isBase64Encoded"] is False
    assert isinstance(reply["body"], str)
    body = json.loads(reply["body"])
    assert set(body) == {"message", "errorType", "requestId"}
    assert body["errorType"] == error_type
    assert body["requestId"] == posted.target.split("/")[-2]


def assert_failed(posted: Posted, error_type: str) -> None:
    """The invocation failed, so that its source can do what it does then."""
    assert posted.kind == "error"
    assert posted.json()["errorType"] == error_type
    assert posted.fields["lambda-runtime-function-error-type"] == error_type
    assert posted.json()["errorMessage"]


FAULTY = [pytest.param(answer, id=name) for name, answer in FAULTS.items()]


class Failing:
    """An application that raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def send(self, request: Request, call: Call) -> Response:
        await trio.lowlevel.checkpoint()
        raise self.error

    async def finish(self, deadline: float) -> None:
        """Do nothing."""


def assert_broken_off(posted: Posted, error_type: str) -> dict[str, object]:
    """The stream ended in trailers that say so, and nothing of them is in its body."""
    assert posted.is_stream
    assert posted.complete
    assert {value for name, value in posted.lines if name.lower() == "trailer"} == {
        name for name, _ in posted.trailers
    }
    (type_name, said_type), (body_name, body) = posted.trailers
    assert type_name == "Lambda-Runtime-Function-Error-Type"
    assert body_name == "Lambda-Runtime-Function-Error-Body"
    assert re.fullmatch(r"(Runtime|Function)\.[A-Z][a-zA-Z]+", said_type)
    document = json.loads(base64.b64decode(body, validate=True))
    assert isinstance(document, dict)
    assert set(document) == {"errorMessage", "errorType", "stackTrace"}
    assert document["errorType"] == said_type == error_type
    assert b"Error" not in posted.body
    return document


def assert_refused_by_stream(posted: Posted, status: int, error_type: str) -> None:
    """The client was told so, by a stream that ends well."""
    assert posted.kind == "response"
    assert posted.trailers == []
    prelude = posted.prelude()
    assert prelude["statusCode"] == status
    fields = prelude.get("headers") or prelude["multiValueHeaders"]
    assert isinstance(fields, dict)
    assert fields["content-type"] in ("application/json", ["application/json"])
    body = json.loads(posted.content())
    assert set(body) == {"message", "errorType", "requestId"}
    assert body["errorType"] == error_type
    assert body["requestId"] == posted.target.split("/")[-2]

"""The Runtime APIs that the adapter meets here, held to AWS's emulator.

Two stand-ins are ours: the one of the tests, and the one of ``lambda-adapter local``.
One table says what each request is answered with, and the emulator proves the table.
"""

import contextlib
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import trio

from lambda_adapter.local.invocation import Invocation
from tests.e2e.conftest import BUILD_TIMEOUT
from tests.emulator import EmulatorError, open_emulator
from tests.fake_runtime_api import open_fake_runtime_api
from tests.local.runtime import NEXT, RUNTIME, Runtime, open_runtime

pytestmark = pytest.mark.timeout(BUILD_TIMEOUT)

EVENT = b'{"an":"event"}'
LARGEST = 6_291_556
"""Bytes of the largest reply."""

EXTENSION = "/2020-01-01/extension"
ID = "{id}"
"""Stands for the invocation that was handed out last."""

UUID = "8d4a1dd5-2f5f-4b0b-9c5b-2d9d6f5f9d11"


class Ask(NamedTuple):
    """A request, and the status and error type that it is answered with."""

    method: str
    target: str
    status: int
    error: str | None = None
    body: bytes = b"{}"
    fields: Sequence[tuple[str, str]] = ()


def take(what: str, status: int, error: str | None = None, body: bytes = b"1") -> Ask:
    return Ask("POST", f"{RUNTIME}/invocation/{ID}/{what}", status, error, body)


def mode(value: str, status: int, error: str | None = None) -> Ask:
    field = ("Lambda-Runtime-Function-Response-Mode", value)
    return take("response", status, error)._replace(fields=[field])


def register(
    status: int, error: str | None = None, body: str = '{"events":[]}', name: str = "a"
) -> Ask:
    fields = [("Lambda-Extension-Name", name)] if name else []
    target = f"{EXTENSION}/register"
    return Ask("POST", target, status, error, body.encode(), fields)


def wait_event(error: str, identifier: str = "") -> Ask:
    fields = [("Lambda-Extension-Identifier", identifier)] if identifier else []
    return Ask("GET", f"{EXTENSION}/event/next", 403, f"Extension.{error}", b"", fields)


INVOKED = Ask("GET", NEXT, 200, body=b"")
FAILED = Ask("POST", f"{RUNTIME}/init/error", 202)
WRONG_STATE = (403, "InvalidStateTransition")
UNKNOWN = (400, "InvalidRequestID")
WRONG_MODE = (400, "InvalidFunctionResponseMode")
TOO_LARGE = (413, "RequestEntityTooLarge")
BAD_EVENT = (403, "Extension.InvalidEventType")
BAD_FORMAT = (403, "InvalidRequestFormat")

TABLE = {
    "a response": [INVOKED, take("response", 202)],
    "an error": [INVOKED, take("error", 202, body=b'{"errorType":"A"}')],
    "an error that is not JSON": [INVOKED, take("error", 202, body=b"why")],
    "an empty error": [INVOKED, take("error", 202, body=b"")],
    "two responses": [INVOKED, take("response", 202), take("response", *WRONG_STATE)],
    "two errors": [INVOKED, take("error", 202), take("error", *WRONG_STATE)],
    "an error, late": [INVOKED, take("response", 202), take("error", *WRONG_STATE)],
    "a response, late": [INVOKED, take("error", 202), take("response", *WRONG_STATE)],
    "an unknown invocation": [
        INVOKED,
        Ask("POST", f"{RUNTIME}/invocation/unknown/response", *UNKNOWN),
        Ask("POST", f"{RUNTIME}/invocation/unknown/error", *UNKNOWN),
        Ask("POST", f"{RUNTIME}/invocation/{UUID}/response", *UNKNOWN),
        take("response", 202),
    ],
    "the largest response": [INVOKED, take("response", 202, body=b"x" * LARGEST)],
    "too large a response": [
        INVOKED,
        take("response", *TOO_LARGE, body=b"x" * (LARGEST + 1)),
        take("response", *WRONG_STATE),
        take("error", *WRONG_STATE),
    ],
    "a stream": [INVOKED, mode("streaming", 202)],
    "no mode": [INVOKED, mode("", 202)],
    "another mode": [
        INVOKED,
        mode("buffered", *WRONG_MODE),
        take("response", *WRONG_STATE),
    ],
    "a mode in capitals": [INVOKED, mode("Streaming", *WRONG_MODE)],
    "a failed init": [FAILED, FAILED._replace(status=403, error=WRONG_STATE[1])],
    "a failed init, late": [INVOKED, FAILED._replace(status=403, error=WRONG_STATE[1])],
    "an unknown path": [
        Ask("GET", "/x", 404),
        Ask("GET", f"{RUNTIME}/x", 404),
        INVOKED,
        take("what", 404),
        Ask("POST", f"{RUNTIME}/invocation/a/b/response", 404),
    ],
    "another method": [
        Ask("POST", NEXT, 405),
        Ask("PUT", NEXT, 405),
        Ask("GET", f"{RUNTIME}/init/error", 405, body=b""),
        Ask("GET", f"{EXTENSION}/register", 405, body=b""),
        Ask("POST", f"{EXTENSION}/event/next", 405),
        INVOKED,
        take("response", 405)._replace(method="PUT"),
        take("error", 405, body=b"")._replace(method="GET"),
    ],
    "an extension": [register(200), register(200, name="another")],
    "an extension of invocations": [register(200, body='{"events":["INVOKE"]}')],
    "an extension without a list": [register(200, body="{}")],
    "an extension of nothing": [register(200, body='{"events":null}')],
    "an extension of shutdowns": [register(*BAD_EVENT, '{"events":["SHUTDOWN"]}')],
    "an extension of something": [register(*BAD_EVENT, '{"events":["INVOKE","X"]}')],
    "an extension without a name": [
        register(403, "Extension.InvalidExtensionName", name="")
    ],
    "an extension that is not JSON": [
        register(*BAD_FORMAT, "why"),
        register(*BAD_FORMAT, ""),
        register(*BAD_FORMAT, "[]"),
    ],
    "an extension, twice": [
        register(200),
        register(403, "Extension.InvalidExtensionState"),
    ],
    "an extension, late": [INVOKED, register(403, "Extension.RegistrationClosed")],
    "an unknown extension": [
        wait_event("MissingExtensionIdentifier"),
        wait_event("InvalidExtensionIdentifier", "x"),
        wait_event("UnknownExtensionIdentifier", UUID),
    ],
}
"""Requests in a row, each with the status and the type of error that it gets.

The emulator refuses a stream of more than 6 MB, and has nothing of SnapStart. Lambda
does neither: https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
"""


@asynccontextmanager
async def open_aws(tmp_path: Path) -> AsyncIterator[Runtime]:
    """Run AWS's emulator, invoke it, and be its bootstrap."""
    fifo = tmp_path / "started"
    os.mkfifo(fifo)
    bootstrap = ["/bin/sh", "-c", f"echo > {fifo}; exec tail -f /dev/null", "bootstrap"]
    async with (
        trio.lowlevel.FdStream(os.open(fifo, os.O_RDWR | os.O_NONBLOCK)) as started,
        open_emulator(bootstrap, env={}, log_path=tmp_path / "log") as emulator,
        trio.open_nursery() as nursery,
    ):

        async def invoke() -> None:
            with contextlib.suppress(EmulatorError):  # the test ends it in the middle
                await emulator.invoke(EVENT)

        nursery.start_soon(invoke)
        await started.receive_some(1)
        async with await emulator.connect() as stream:
            yield Runtime(stream)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_fake(tmp_path: Path) -> AsyncIterator[Runtime]:
    """Give a runtime at the Runtime API of the tests."""
    async with open_fake_runtime_api() as fake, trio.open_nursery() as nursery:
        nursery.start_soon(fake.invoke, EVENT)
        async with await trio.open_tcp_stream("127.0.0.1", fake.port) as stream:
            yield Runtime(stream)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_local(tmp_path: Path) -> AsyncIterator[Runtime]:
    """Give a runtime at the Runtime API of ``lambda-adapter local``."""
    async with open_runtime() as (api, runtime):
        api.put(Invocation(EVENT))
        yield runtime


@pytest.mark.parametrize("case", TABLE)
@pytest.mark.parametrize("server", [open_aws, open_fake, open_local])
async def test_answers(tmp_path, server, case):
    """A request to a Runtime API has the status and the error of AWS's emulator."""
    request_id, answers = "", []
    async with server(tmp_path) as runtime:
        for ask in TABLE[case]:
            target = ask.target.replace(ID, request_id)
            status, fields, body = await runtime.ask(
                ask.method, target, ask.body, *ask.fields
            )
            request_id = fields.get("lambda-runtime-aws-request-id", request_id)
            error = json.loads(body) if body.startswith(b'{"error') else {}
            answers.append((status, error.get("errorType")))

    assert answers == [(ask.status, ask.error) for ask in TABLE[case]]

"""``client``: Lambda's end of the wire."""

import base64
import json
import logging
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from functools import partial
from itertools import pairwise

import pytest
import trio
import trio.testing

from lambda_adapter import __version__
from lambda_adapter.app.app import Call
from lambda_adapter.errors import AppNotReadyError, AppRequestError, RuntimeApiError
from lambda_adapter.events.event import MAX_REPLY
from lambda_adapter.http.connection import UPLOAD_TIMEOUT
from lambda_adapter.http.messages import Parts, Request
from lambda_adapter.observe.logs import log
from lambda_adapter.runtime.api import MAX_EVENT, Invocation
from lambda_adapter.runtime.client import ATTEMPTS, RuntimeClient
from lambda_adapter.runtime.persistent_connection import MAX_RESPONSE
from tests import scripted_app
from tests.fake_runtime_api import (
    NEXT,
    FakeRuntimeApi,
    Posted,
    replied,
)
from tests.ports import free_port
from tests.scripted_app import open_server

FAILURE = AppRequestError("the application failed")
ABOUT = Call(
    Invocation("request-1", b"{}"), math.inf, request=Request(b"GET", b"/", [])
)


FAULTS = {
    "closed": b"",
    "garbage": b"220 smtp.example.com ESMTP\r\n",
    "no request id": replied(200),
    "an empty request id": replied(200, fields=b"lambda-runtime-aws-request-id: \r\n"),
    "a request id that is a path": replied(
        200, fields=b"lambda-runtime-aws-request-id: ../../init/error\r\n"
    ),
    "status 403": replied(403, b'{"errorType":"InvalidStateTransition"}'),
    "status 404": replied(404),
    "half a head": b"HTTP/1.1 200 OK\r\nlambda-runtime-aws-req",
    "half a body": (
        b"HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: request-1\r\n"
        b"content-length: 9\r\n\r\nhalf"
    ),
    "a protocol switch": (
        b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"
    ),
}


@pytest.fixture
async def client(runtime):
    """A client of the fake Runtime API."""
    client = RuntimeClient("127.0.0.1", runtime.port)
    yield client
    client.close()


@asynccontextmanager
async def invoking(runtime: FakeRuntimeApi, *payloads: bytes, **fields: str):
    """Have events waiting, and see to it that they have replies."""
    async with trio.open_nursery() as nursery:
        with trio.fail_after(20):
            for payload in payloads:
                nursery.start_soon(partial(runtime.invoke, payload, **fields))
                await trio.testing.wait_all_tasks_blocked()
            yield


async def post(client: RuntimeClient, kind: str, invocation: Invocation) -> None:
    """Post an error where that is the kind, or else a response."""
    if kind == "error":
        await client.post_error(invocation, FAILURE)
    else:
        await client.post_response(invocation, b"null")


def answers(runtime: FakeRuntimeApi, *kinds: str):
    return [each for each in runtime.posted if each.kind in (kinds or ("response",))]


async def test_invocation(runtime, client):
    """An invocation has the event's bytes, and Lambda's headers."""
    async with invoking(
        runtime,
        b'{ "a": 1 }\n',
        lambda_runtime_deadline_ms="1700000000000",
        lambda_runtime_trace_id="Root=1-2-3",
        lambda_runtime_client_context='{"custom":{}}',
        lambda_runtime_cognito_identity='{"cognitoIdentityId":"i"}',
        lambda_runtime_aws_tenant_id="tenant",
        lambda_runtime_invocation_id="nonce",
    ):
        invocation = await client.next_invocation()
        await client.post_response(invocation, b"null")

    assert invocation == Invocation(
        "request-1",
        b'{ "a": 1 }\n',
        1_700_000_000_000,
        "arn:aws:lambda:eu-west-1:1:function:f",
        "Root=1-2-3",
        '{"custom":{}}',
        '{"cognitoIdentityId":"i"}',
        "tenant",
        "nonce",
    )


async def test_one_connection_for_everything(runtime, client):
    """Invocations, replies and errors share a connection, one after the other."""
    async with invoking(runtime, b"1", b"2", b"3"):
        for _ in range(2):
            await client.post_response(await client.next_invocation(), b"null")
        await client.post_error(await client.next_invocation(), FAILURE)

    assert {each.connection for each in runtime.posted} == {1}
    assert [each.kind for each in runtime.posted] == [
        *("next", "response", "next", "response", "next", "error"),
    ]


async def test_response(runtime, client):
    """A reply is posted unchanged, for its invocation."""
    reply = '{"body":"grüße"}'.encode()
    async with invoking(runtime, b"{}"):
        await client.post_response(await client.next_invocation(), reply)

    (posted,) = answers(runtime)
    assert posted.method == "POST"
    assert posted.target == "/2018-06-01/runtime/invocation/request-1/response"
    assert posted.body == reply
    assert posted.fields["host"] == runtime.address
    assert "lambda-runtime-function-response-mode" not in posted.fields


async def test_error(runtime, client):
    """An error is reported in the body and in a header."""
    async with invoking(runtime, b"{}"):
        await client.post_error(await client.next_invocation(), FAILURE)

    (posted,) = answers(runtime, "error")
    assert posted.target == "/2018-06-01/runtime/invocation/request-1/error"
    assert posted.json() == {
        "errorMessage": "the application failed",
        "errorType": "Runtime.AppRequestError",
        "stackTrace": [],
    }
    error_type = posted.fields["lambda-runtime-function-error-type"]
    assert error_type == "Runtime.AppRequestError"


async def test_invocation_id_is_echoed(runtime, client):
    """The nonce of an invocation goes back with its reply, and with its error."""
    async with invoking(runtime, b"1", b"2", lambda_runtime_invocation_id="a nonce"):
        await client.post_response(await client.next_invocation(), b"null")
        await client.post_error(await client.next_invocation(), FAILURE)

    echoed = [
        each.fields["lambda-runtime-invocation-id"]
        for each in answers(runtime, "response", "error")
    ]
    assert echoed == ["a nonce", "a nonce"]


@pytest.mark.parametrize("fields", [{}, {"lambda_runtime_invocation_id": ""}])
async def test_no_invocation_id_is_made_up(runtime, client, fields):
    """A reply has no nonce if its invocation had none, or an empty one."""
    async with invoking(runtime, b"1", b"2", **fields):
        await client.post_response(await client.next_invocation(), b"null")
        await client.post_error(await client.next_invocation(), FAILURE)

    for each in answers(runtime, "response", "error"):
        assert "lambda-runtime-invocation-id" not in each.fields


@pytest.mark.parametrize(
    "fault", [pytest.param(raw, id=name) for name, raw in FAULTS.items()]
)
async def test_failed_next_is_repeated(clock, runtime, client, caplog, fault):
    """Whatever is wrong with one response to ``/next``, the next one can be right."""
    runtime.scripted[NEXT].append(fault)

    async with invoking(runtime, b'"event"'):
        invocation = await client.next_invocation()
        await client.post_response(invocation, b"null")

    assert invocation.payload == b'"event"'
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert "no invocation from Lambda's Runtime API: " in warning.getMessage()


async def test_next_that_fails_for_good(clock, runtime, client):
    """Five failures of ``/next`` in a row are fatal."""
    runtime.scripted[NEXT].extend([b""] * 10)

    with pytest.raises(RuntimeApiError, match="5 times in a row"):
        await client.next_invocation()

    assert len(runtime.posted) == ATTEMPTS == 5


async def test_pauses_of_next(clock):
    """Pauses after a failed ``/next`` double from 0.1 s; the last has none."""
    asked: list[float] = []

    async def hang_up(stream: trio.SocketStream) -> None:
        asked.append(trio.current_time())
        await stream.aclose()

    async with open_server(hang_up) as port:
        with (
            closing(RuntimeClient("127.0.0.1", port)) as client,
            pytest.raises(RuntimeApiError),
        ):
            await client.next_invocation()

    times = [*asked, trio.current_time()]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 0])


async def test_largest_event(runtime, client):
    """An event of 32 MB is accepted."""
    async with invoking(runtime, b" " * MAX_EVENT):
        invocation = await client.next_invocation()
        await client.post_response(invocation, b"null")

    assert len(invocation.payload) == MAX_EVENT == 33_554_432


async def test_larger_event_than_any(clock, runtime, client, caplog):
    """A response to ``/next`` that is larger than any event is dropped."""
    name = b"lambda-runtime-aws-request-id: request-1\r\n"
    runtime.scripted[NEXT].append(replied(200, b" " * (MAX_EVENT + 1), name))

    async with invoking(runtime, b'"event"'):
        invocation = await client.next_invocation()
        await client.post_response(invocation, b"null")

    assert invocation.payload == b'"event"'
    (warning,) = caplog.records
    assert "the body of its response is over 33,554,432 bytes" in warning.getMessage()


async def test_failures_of_next_count_in_a_row(clock, runtime, client):
    """Four failures in a row are tolerated; an invocation resets their count."""
    for _ in range(2):
        runtime.scripted[NEXT].extend([b""] * 4)
        async with invoking(runtime, b"{}"):
            await client.post_response(await client.next_invocation(), b"null")

    assert len(answers(runtime)) == 2


async def test_no_runtime_api(clock):
    """The adapter ends if nothing listens at the Runtime API's address."""
    client = RuntimeClient("127.0.0.1", free_port())

    with pytest.raises(RuntimeApiError):
        await client.next_invocation()


async def test_next_that_says_all_is_lost(runtime, client):
    """Status 500 to ``/next`` is fatal, and the request is not repeated."""
    runtime.scripted[NEXT].append(replied(500, b'{"errorMessage":"container error"}'))

    with trio.fail_after(5), pytest.raises(RuntimeApiError, match="container error"):
        await client.next_invocation()

    assert len(runtime.posted) == 1


@pytest.mark.parametrize("kind", ["response", "error"])
async def test_post_that_says_all_is_lost(runtime, client, kind):
    """Status 500 to a reply or an error is fatal."""
    runtime.scripted["/" + kind].append(replied(500, b'{"errorMessage":"gone"}'))
    invocation = Invocation("request-1", b"{}")

    with trio.fail_after(5), pytest.raises(RuntimeApiError, match="gone"):
        await post(client, kind, invocation)


@pytest.mark.parametrize("status", [400, 403, 404, 410, 413, 429])
@pytest.mark.parametrize("kind", ["response", "error"])
async def test_refused_post(runtime, client, caplog, kind, status):
    """A refused reply is logged with its request ID, and not repeated.

    No ``/error`` follows: the platform has told the caller already.
    """
    runtime.scripted["/" + kind].append(replied(status, b'{"errorType":"InvalidThis"}'))
    invocation = Invocation("request-7", b"{}")

    with trio.fail_after(5):
        await post(client, kind, invocation)
        async with invoking(runtime, b"{}"):
            await client.post_response(await client.next_invocation(), b"null")

    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert f'status {status} {{"errorType":"InvalidThis"}}' in line.getMessage()
    assert [each.kind for each in runtime.posted] == [kind, "next", "response"]


async def test_too_large_a_reply(runtime, client, caplog):
    """A reply that Lambda finds too large is refused like any other, and logged."""
    async with invoking(runtime, b"1", b"2"):
        invocation = await client.next_invocation()
        await client.post_response(invocation, bytes(MAX_REPLY + 1))
        await client.post_response(await client.next_invocation(), b"null")

    (line,) = caplog.records
    assert "status 413" in line.getMessage()
    assert answers(runtime, "error") == []


async def test_long_answer_to_a_post(runtime, client, caplog):
    """Lambda's response to a reply is read up to 64 kB, and logged up to 300 bytes."""
    for size in (MAX_RESPONSE, MAX_RESPONSE + 1):
        runtime.scripted["/response"].append(replied(413, b"x" * size))

    with trio.fail_after(5):
        for _ in range(2):
            await client.post_response(Invocation("request-7", b"{}"), b"null")
        async with invoking(runtime, b"{}"):
            await client.post_response(await client.next_invocation(), b"null")

    refused, failed = (line.getMessage() for line in caplog.records)
    assert refused == f"Lambda refused the reply: status 413 {'x' * 300}"
    assert failed.startswith("the reply did not reach Lambda: ")
    assert failed.endswith(" is over 65,536 bytes")


@pytest.mark.parametrize("answer", [b"", b"220 smtp.example.com\r\n"])
async def test_post_that_fails(runtime, client, caplog, answer):
    """A reply that does not reach Lambda is logged, and the next one is posted."""
    runtime.scripted["/response"].append(answer)

    with trio.fail_after(5):
        await client.post_response(Invocation("request-7", b"{}"), b"null")
        async with invoking(runtime, b"{}"):
            await client.post_response(await client.next_invocation(), b"null")

    (line,) = caplog.records
    assert "the reply did not reach Lambda" in line.getMessage()


async def test_half_an_answer(runtime, client, caplog):
    """A reply to which Lambda has begun to respond has arrived: it is not repeated."""
    async with invoking(runtime, b"1"):
        await client.post_response(await client.next_invocation(), b"null")
    runtime.scripted["/response"].append(b"HTTP/1.1 2")

    with trio.fail_after(5):
        await client.post_response(Invocation("request-7", b"{}"), b"null")

    assert len(answers(runtime)) == 2
    assert "the reply did not reach Lambda" in caplog.text


async def test_post_that_is_given_up(runtime, client):
    """A reply that is given up does not disturb the next one."""
    runtime.scripted["/response"].append(b"HTTP/1.1 100 Continue\r\nx: {}")
    with trio.move_on_after(0.05) as limit:
        await client.post_response(Invocation("request-7", b"{}"), b"null")
    assert limit.cancelled_caught

    async with invoking(runtime, b"{}"):
        await client.post_response(await client.next_invocation(), b"null")


async def test_connection_closed_in_between(runtime, client, caplog):
    """A kept connection that Lambda closed is replaced, and nothing is logged."""
    log.setLevel(logging.INFO)
    async with invoking(runtime, b"1", b"2"):
        for _ in range(2):
            invocation = await client.next_invocation()
            await runtime.drop_connections()
            await client.post_response(invocation, b"null")
            await runtime.drop_connections()

    assert [each.kind for each in runtime.posted] == ["next", "response"] * 2
    assert [each.connection for each in runtime.posted] == [1, 2, 3, 4]
    assert caplog.records == []


async def test_connection_that_took_something_just_now(runtime, client, caplog):
    """A fresh connection is not checked, but still replaced if it is dead.

    Each event has one reply, and the line that says so is no fault.
    """
    log.setLevel(logging.INFO)
    async with invoking(runtime, b"1", b"2"):
        for _ in range(2):
            invocation = await client.next_invocation(is_fresh=True)
            await runtime.drop_connections()
            await client.post_response(invocation, b"null", is_fresh=True)
            await runtime.drop_connections()

    assert [each.kind for each in runtime.posted] == ["next", "response"] * 2
    assert [each.connection for each in runtime.posted] == [1, 2, 3, 4]
    assert {line.levelno for line in caplog.records} == {logging.INFO}


@pytest.mark.parametrize("kind", ["next", "response", "error"])
async def test_connection_closed_meanwhile(runtime, client, caplog, kind):
    """A request whose kept connection closes without a response is repeated.

    Each event has one reply all the same. It is no fault, and noted as such.
    """
    log.setLevel(logging.INFO)
    async with invoking(runtime, b"1", b"2"):
        await client.post_response(await client.next_invocation(), b"null")
        runtime.scripted["/" + kind].append(b"")
        invocation = await client.next_invocation()
        await post(client, kind, invocation)

    (line,) = caplog.records
    assert line.levelno == logging.INFO
    assert len([each for each in runtime.posted if each.kind == kind]) >= 2


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_other_failures_are_not_the_end(runtime, client, caplog, status):
    """Only status 500 means that the environment is lost."""
    runtime.scripted["/response"].append(replied(status))

    with trio.fail_after(5):
        await client.post_response(Invocation("request-7", b"{}"), b"null")

    assert f"Lambda refused the reply: status {status}" in caplog.text


PRELUDE = b'{"statusCode":200,"headers":{},"cookies":[]}'


class Body:
    """A body that comes as pieces, or an error amid them."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.waiting = list(pieces)
        self.closed = trio.Event()

    async def __aiter__(self) -> AsyncGenerator[Parts, None]:
        try:
            while self.waiting:
                await trio.lowlevel.checkpoint()
                piece = self.waiting.pop(0)
                if isinstance(piece, Exception):
                    raise piece
                yield (piece,)
        finally:
            self.closed.set()


async def post_stream(client: RuntimeClient, body: Body) -> None:
    """Post a stream to the invocation that comes next."""
    await client.post_stream(
        await client.next_invocation(), PRELUDE, aiter(body), ABOUT
    )


async def test_stream(runtime, client):
    """A stream is one request: its head, a prelude, a delimiter, and the pieces.

    The nonce of its invocation goes back with it.
    """
    async with invoking(runtime, b"{}", lambda_runtime_invocation_id="a nonce"):
        await post_stream(client, Body(b"one", bytes(9), b"three"))

    (posted,) = answers(runtime)
    assert (posted.method, posted.version) == ("POST", "1.1")
    assert posted.target == "/2018-06-01/runtime/invocation/request-1/response"
    assert posted.lines == [
        ("host", runtime.address),
        ("user-agent", f"lambda-adapter/{__version__}"),
        ("transfer-encoding", "chunked"),
        ("lambda-runtime-function-response-mode", "streaming"),
        ("content-type", "application/vnd.awslambda.http-integration-response"),
        ("trailer", "Lambda-Runtime-Function-Error-Type"),
        ("trailer", "Lambda-Runtime-Function-Error-Body"),
        ("lambda-runtime-invocation-id", "a nonce"),
    ]
    assert posted.body == PRELUDE + bytes(8) + b"one" + bytes(9) + b"three"
    assert posted.trailers == []


async def test_stream_on_the_wire():
    """Each piece is a chunk, and so is the prelude with its delimiter."""
    received = b""

    async def take(stream: trio.SocketStream) -> None:
        nonlocal received
        while not received.endswith(b"\r\n0\r\n\r\n"):
            received += await stream.receive_some()
        await stream.send_all(replied(202))

    async with open_server(take) as port:
        client = RuntimeClient("127.0.0.1", port)
        with trio.fail_after(5):
            body = Body(b"one", b"\r\n" * 8)
            invocation = Invocation("request-7", b"{}")
            await client.post_stream(invocation, PRELUDE, aiter(body), ABOUT)

    head, _, chunks = received.partition(b"\r\n\r\n")
    start = b"POST /2018-06-01/runtime/invocation/request-7/response HTTP/1.1\r\n"
    assert head.startswith(start)
    assert chunks == (
        b"%x\r\n%s\0\0\0\0\0\0\0\0\r\n" % (len(PRELUDE) + 8, PRELUDE)
        + b"3\r\none\r\n"
        + b"10\r\n"
        + b"\r\n" * 8
        + b"\r\n0\r\n\r\n"
    )


async def test_stream_ends_its_connection(runtime, client):
    """The connection of a stream is closed, and used for nothing else."""
    async with invoking(runtime, b"1", b"2", b"3"):
        await post_stream(client, Body(b"one"))
        await runtime.wait(lambda: runtime.closed == {1})
        await client.post_response(await client.next_invocation(), b"null")
        await post_stream(client, Body())
        await runtime.wait(lambda: runtime.closed == {1, 2})

    assert [(each.kind, each.connection) for each in runtime.posted] == [
        ("next", 1),
        ("response", 1),
        *(("next", 2), ("response", 2), ("next", 2), ("response", 2)),
    ]


async def test_stream_after_a_closed_connection(runtime, client, caplog):
    """A stream gets a new connection if Lambda has closed the kept one."""
    async with invoking(runtime, b"{}"):
        invocation = await client.next_invocation()
        await runtime.drop_connections()
        await client.post_stream(invocation, PRELUDE, aiter(Body(b"one")), ABOUT)

    (posted,) = answers(runtime)
    assert posted.content() == b"one"
    assert caplog.records == []


async def test_stream_that_breaks_off(runtime, client, caplog):
    """The failure of a stream is in its trailers, and not in its body."""
    body = Body(b"one", FAILURE, b"two")

    async with invoking(runtime, b"{}"):
        await post_stream(client, body)

    (posted,) = answers(runtime)
    assert posted.body == PRELUDE + bytes(8) + b"one"
    trailers = dict(posted.trailers)
    assert trailers.pop("Lambda-Runtime-Function-Error-Type") == (
        "Runtime.AppRequestError"
    )
    report = base64.b64decode(trailers.pop("Lambda-Runtime-Function-Error-Body"))
    assert json.loads(report) == {
        "errorMessage": "the application failed",
        "errorType": "Runtime.AppRequestError",
        "stackTrace": [],
    }
    assert trailers == {}
    assert body.closed.is_set()
    (line,) = caplog.records
    assert line.levelno == logging.ERROR


@pytest.mark.parametrize("status", [400, 403, 404, 410, 413, 502])
async def test_refused_stream(runtime, client, caplog, status):
    """A refused stream is logged with its request ID, and not repeated."""
    runtime.scripted["/response"].append(
        replied(status, b'{"errorType":"InvalidThis"}')
    )
    invocation = Invocation("request-7", b"{}")

    with trio.fail_after(5):
        await client.post_stream(invocation, PRELUDE, aiter(Body(b"one")), ABOUT)
        async with invoking(runtime, b"{}"):
            await client.post_response(await client.next_invocation(), b"null")

    (line,) = caplog.records
    assert line.levelno == logging.ERROR
    assert f'status {status} {{"errorType":"InvalidThis"}}' in line.getMessage()
    assert [each.kind for each in runtime.posted] == ["response", "next", "response"]


async def test_stream_that_says_all_is_lost(runtime, client):
    """Status 500 to a stream is fatal, and closes its body."""
    runtime.scripted["/response"].append(replied(500, b'{"errorMessage":"gone"}'))
    body = Body(b"one")

    with trio.fail_after(5), pytest.raises(RuntimeApiError, match="gone"):
        await client.post_stream(
            Invocation("request-7", b"{}"), PRELUDE, aiter(body), ABOUT
        )

    assert body.closed.is_set()


@pytest.mark.parametrize(
    "answer", [b"", b"220 smtp.example.com\r\n", b"HTTP/1.1 2"], ids=repr
)
async def test_stream_that_fails(runtime, client, caplog, answer):
    """A stream that does not reach Lambda is logged, and the next one succeeds.

    It is not repeated: its body is gone.
    """
    runtime.scripted["/response"].append(answer)

    with trio.fail_after(5):
        invocation = Invocation("request-7", b"{}")
        await client.post_stream(invocation, PRELUDE, aiter(Body(b"one")), ABOUT)
        async with invoking(runtime, b"{}"):
            await post_stream(client, Body(b"two"))

    (line,) = caplog.records
    assert "the stream did not reach Lambda" in line.getMessage()
    assert [each.content() for each in answers(runtime)] == [b"one", b"two"]


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_lambda_hangs_up_amid_a_stream(runtime, client, caplog, reset):
    """If Lambda hangs up, the body is closed and not read any further."""

    async def hang_up(stream: trio.SocketStream, posted: Posted) -> None:
        if b"one" in posted.body:
            if reset:
                scripted_app.reset(stream)
            await stream.aclose()

    runtime.meanwhile["/response"] = hang_up
    body = Body(*[b"one"] * 1_000_000)

    with trio.fail_after(10):
        invocation = Invocation("request-7", b"{}")
        await client.post_stream(invocation, PRELUDE, aiter(body), ABOUT)

    assert body.closed.is_set()
    assert body.waiting
    (line,) = caplog.records
    assert "the stream did not reach Lambda" in line.getMessage()


async def test_lambda_stops_reading_and_answers(runtime, client, caplog):
    """A response is read even while Lambda does not read the stream."""
    answered = trio.Event()

    async def refuse(stream: trio.SocketStream, posted: Posted) -> None:
        if posted.content() and not answered.is_set():
            await stream.send_all(replied(413, b"{}"))
            answered.set()
            await closed.wait()

    closed = trio.Event()
    runtime.meanwhile["/response"] = refuse
    body = Body(*[bytes(1_000_000)] * 200)

    with trio.fail_after(10):
        invocation = Invocation("request-7", b"{}")
        await client.post_stream(invocation, PRELUDE, aiter(body), ABOUT)

    closed.set()
    assert body.closed.is_set()
    assert len(body.waiting) > 100
    assert "Lambda refused the stream: status 413" in caplog.text


async def test_stream_that_is_never_answered(clock, runtime, client, caplog):
    """Lambda's response to a stream has the timeout of a reply."""
    runtime.scripted["/response"].append(b"HTTP/1.1 100 Continue\r\nx: {}")

    with trio.fail_after(2 * UPLOAD_TIMEOUT):
        invocation = Invocation("request-7", b"{}")
        await client.post_stream(invocation, PRELUDE, aiter(Body(b"one")), ABOUT)

    assert "no response within 30 s" in caplog.text
    async with invoking(runtime, b"{}"):
        await client.post_response(await client.next_invocation(), b"null")


async def test_nobody_to_stream_to(caplog):
    """A stream that can't reach Lambda is logged."""
    client = RuntimeClient("127.0.0.1", free_port())

    with trio.fail_after(5):
        invocation = Invocation("request-7", b"{}")
        await client.post_stream(invocation, PRELUDE, aiter(Body(b"one")), ABOUT)

    (line,) = caplog.records
    assert "the stream did not reach Lambda: no connection" in line.getMessage()


async def test_cancelled_stream(runtime, client):
    """Cancelling a stream closes both of its ends.

    A last chunk would say that the body is whole.
    """

    async def wait() -> AsyncGenerator[Parts, None]:
        try:
            yield (b"one",)
            await trio.sleep_forever()
        finally:
            closed.set()

    closed = trio.Event()
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            invocation = Invocation("request-7", b"{}")
            nursery.start_soon(client.post_stream, invocation, PRELUDE, wait(), ABOUT)
            posted = await runtime.wait_arriving("/response", size=len(PRELUDE) + 11)
            nursery.cancel_scope.cancel()
        await runtime.wait(lambda: posted.connection in runtime.closed)

    assert closed.is_set()
    assert posted.content() == b"one"
    assert not posted.complete


async def test_init_error(runtime, client):
    """A failed init is reported to ``/init/error``."""
    with trio.fail_after(5):
        await client.post_init_error(AppNotReadyError("it exited with status 3"))

    (posted,) = runtime.posted
    assert posted.target == "/2018-06-01/runtime/init/error"
    assert posted.json()["errorMessage"] == "it exited with status 3"
    assert posted.json()["errorType"] == "Runtime.AppNotReadyError"
    error_type = posted.fields["lambda-runtime-function-error-type"]
    assert error_type == "Runtime.AppNotReadyError"


@pytest.mark.parametrize(
    "answer", [replied(403), replied(500), b"", b"220 smtp.example.com\r\n"]
)
async def test_init_error_that_is_refused(runtime, client, caplog, answer):
    """A refused init error is only logged."""
    runtime.scripted["/init/error"].append(answer)

    with trio.fail_after(5):
        await client.post_init_error(AppNotReadyError("it exited with status 3"))

    (line,) = caplog.records
    assert line.levelno == logging.ERROR

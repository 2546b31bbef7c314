"""``invoke_loop`` in stream mode: responses that reach Lambda as they come."""

import pytest

from lambda_adapter.events.event import MAX_REPLY
from tests.catalogue import SQS, WEB_SOCKET, function_url, rest_api
from tests.scripted_app import Answer, said
from tests.serve.invoke_loop.function import (
    CHUNKED,
    assert_failed,
    assert_refused,
    invoking,
)
from tests.serve.invoke_loop.kinds import BUFFERED, STREAMING


async def test_fields_of_a_stream_that_a_gateway_refuses(stream, caplog):
    """The headers of a stream have the limit of any response's headers."""
    wide = b"x-a: " + b"a" * 10_000 + b"\r\n"

    await stream.invoke(rest_api(), said(200, b"", wide))

    (line,) = caplog.records
    assert "the headers of the response take" in line.getMessage()


@pytest.mark.parametrize("event", STREAMING)
async def test_stream(stream, event):
    """A response goes to Lambda as a prelude, a delimiter, and its own bytes."""
    raw = bytes(range(256)) + bytes(16)
    fields = b"content-type: image/png\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n"

    posted = await stream.invoke(event("POST", "/path"), said(201, raw, fields))

    assert stream.app.requests[0].line == b"POST /path HTTP/1.1"
    assert (posted.method, posted.kind) == ("POST", "response")
    prelude = posted.prelude()
    cookies = prelude.pop("cookies", None) or prelude["multiValueHeaders"].pop(
        "set-cookie"
    )
    several = "multiValueHeaders" in prelude
    kept = {"content-type": "image/png", "content-length": "272"}
    assert cookies == ["a=1", "b=2"]
    assert prelude == (
        {
            "statusCode": 201,
            "multiValueHeaders": {name: [value] for name, value in kept.items()},
        }
        if several
        else {"statusCode": 201, "headers": kept}
    )
    assert several is (event is rest_api)
    assert posted.content() == raw
    assert posted.trailers == []
    await stream.assert_streams()


@pytest.mark.parametrize("event", BUFFERED)
async def test_buffered_kinds_stay_so(stream, event):
    """A gateway that does not stream gets JSON in stream mode as well."""
    posted = await stream.invoke(event(), said(200, b"text"))

    assert not posted.is_stream
    assert posted.json()["body"] == "text"
    await stream.assert_streams()


@pytest.mark.parametrize("event", BUFFERED)
async def test_refusal_of_buffered_kinds_stays_so(clock, stream, event):
    """A failure is JSON in stream mode for a gateway that does not stream."""
    posted = await stream.invoke(event(), Answer(b""))

    assert not posted.is_stream
    assert_refused(posted, 502, "Runtime.AppRequestError")
    await stream.assert_streams()


@pytest.mark.parametrize(
    "payload", [pytest.param(SQS, id="SQS"), pytest.param(WEB_SOCKET, id="WebSocket")]
)
async def test_other_event_in_stream_mode(stream, payload):
    """A non-HTTP event has results and errors in stream mode, and no stream."""
    good = await stream.invoke(payload, said(200, b'{"done":true}'))
    bad = await stream.invoke(payload, Answer(b""))

    assert (good.is_stream, bad.is_stream) == (False, False)
    assert (good.kind, good.body) == ("response", b'{"done":true}')
    assert_failed(bad, "Runtime.AppRequestError")
    await stream.assert_streams()


@pytest.mark.parametrize("event", STREAMING)
async def test_buffered_mode_is_the_default(function, event):
    """Nothing is streamed unless stream mode is set."""
    posted = await function.invoke(event(), said(200, b"text"))

    assert not posted.is_stream
    assert posted.json()["body"] == "text"


@pytest.mark.parametrize("event", STREAMING)
async def test_stream_is_as_fast_as_the_application(stream, event):
    """Lambda gets each part of a response before the application sends the next.

    First the head alone, then each piece.
    """
    async with invoking(stream, event(), Answer(CHUNKED, "more")):
        posted = await stream.runtime.wait_arriving("/response", size=8)
        await stream.runtime.wait_content(posted, b"")
        assert posted.prelude()["statusCode"] == 200

        content = b""
        for piece in (b"one", b"\0" * 9, b"three"):
            await stream.app.say(b"%x\r\n%s\r\n" % (len(piece), piece))
            content += piece
            await stream.runtime.wait_content(posted, content)
        assert not posted.complete

        await stream.app.say(b"0\r\n\r\n", "keep")
        await stream.runtime.wait_posted("/response")

    assert posted.content() == content
    await stream.assert_streams()


async def test_half_a_chunk_is_passed_on(stream):
    """The received bytes of a chunk are forwarded before the rest arrives."""
    async with invoking(stream, function_url(), Answer(CHUNKED + b"6\r\nhel", "more")):
        posted = await stream.runtime.wait_arriving("/response", size=8)
        await stream.runtime.wait_content(posted, b"hel")
        await stream.app.say(b"lo!\r\n0\r\n\r\n", "keep")
        await stream.runtime.wait_posted("/response")

    assert posted.content() == b"hello!"


async def test_early_hints_are_no_prelude(stream):
    """An interim response does not begin the stream."""
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"

    posted = await stream.invoke(
        function_url(), Answer(hints + said(200, b"ok").raw, "keep")
    )

    assert posted.prelude() == {
        "statusCode": 200,
        "headers": {"content-length": "2"},
        "cookies": [],
    }
    assert posted.content() == b"ok"


EMPTY = {
    "no length": Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "keep"),
    "no chunk": Answer(CHUNKED + b"0\r\n\r\n", "keep"),
    "no content": Answer(b"HTTP/1.1 204 No Content\r\n\r\n", "keep"),
    "not modified": Answer(b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n", "keep"),
    "closed after its head": Answer(b"HTTP/1.1 200 OK\r\n\r\n"),
}


@pytest.mark.parametrize("event", STREAMING)
@pytest.mark.parametrize(
    "answer", [pytest.param(answer, id=name) for name, answer in EMPTY.items()]
)
async def test_stream_of_nothing(stream, event, answer):
    """A response without a body is a prelude and a delimiter, and ends well."""
    posted = await stream.invoke(event(), answer)

    status = int(answer.raw.split()[1])
    assert posted.prelude()["statusCode"] == status
    assert posted.body.endswith(b"}" + bytes(8))
    assert posted.trailers == []
    await stream.assert_streams()


@pytest.mark.parametrize("event", STREAMING)
async def test_stream_of_a_head(stream, event):
    """A response to HEAD has no body, and keeps its content-length."""
    head = Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", "keep")

    posted = await stream.invoke(event("HEAD"), head)

    assert b'"1000000"' in posted.body or b'["1000000"]' in posted.body
    assert (posted.content(), posted.trailers) == (b"", [])
    assert posted.body.endswith(b"}" + bytes(8))
    await stream.assert_streams()


async def test_stream_until_the_end_of_the_connection(stream):
    """A body without a length ends well with its connection."""
    posted = await stream.invoke(
        function_url(), Answer(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")
    )

    assert posted.content() == b"until the end"
    assert posted.trailers == []
    await stream.assert_streams()


async def test_stream_larger_than_any_reply(stream):
    """A stream may be larger than a reply."""
    raw = bytes(range(256)) * 40_000

    posted = await stream.invoke(function_url(), said(200, raw))

    assert posted.size > MAX_REPLY
    assert posted.content() == raw
    await stream.assert_streams()


async def test_streams_follow_each_other(stream):
    """The application's connection is kept, Lambda's is new after each stream."""
    for number in range(20):
        text = b"%d" % number
        posted = await stream.invoke(function_url(), said(200, text))
        assert posted.content() == text

    assert stream.app.connections == 1
    answers = [each for each in stream.runtime.posted if each.is_stream]
    assert len({each.connection for each in answers}) == 20
    assert len(set(stream.posts())) == len(stream.posts()) == 20

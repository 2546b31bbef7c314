"""Applications in the adapter's process that do all that they must not.

The law for all of it: one reply or one error for each invocation, of the kind that says
what happened, and all others are served as if nothing had been.
"""

import itertools
import random
import time
from urllib.parse import quote

import pytest
import trio

from tests.adapter import memory, open_adapter
from tests.app.calls import http_event
from tests.app.in_process.asgi.test_app import LOOPS, PROGRAMS

AT_ONCE = 4
ROUNDS = 3
ROUNDS_LONG = 200
SOON = 1.0
"""Seconds to the deadline of what only a deadline can end."""

MOST_GROWTH = 64
"""MB that an adapter may be larger after all that: 32 are kept for large bodies, and
four of 9 MB at once leave gaps."""

START = '{"type":"http.response.start","status":200}'
ODD = [
    "[None]",
    "[{}]",
    '[{"type":"http.response.start"}]',
    '[{"type":"http.response.start","status":"200"}]',
    '[{"type":"http.response.start","status":99}]',
    '[{"type":"http.response.start","status":200,"headers":[("a","b")]}]',
    '[{"type":"http.response.start","status":200,"headers":[(b"a",b"b\\r\\nc:d")]}]',
    '[{"type":"http.response.start","status":200,"headers":3}]',
    f'[{START},{{"type":"http.response.body","body":"text"}}]',
    f"[{START},{START}]",
    f'[{START},{{"type":"http.response.trailers","headers":[]}}]',
    f'[{START},{{"type":"http.response.pathsend","path":"/no/such/file"}}]',
    '[{"type":"websocket.accept"}]',
]
"""Messages that no application may send."""

ASGI = {
    **{f"/odd?{quote(messages)}": 500 for messages in ODD},
    "/raises": 500,
    "/raises_within": 500,
    "/raises_after": 200,
    "/leaves": 500,
    "/never": 500,
    "/only_start": 500,
    "/body_first": 500,
    "/twice": 200,
    "/cancels_itself": 500,
    "/hangs": 504,
    "/spins": 504,
    "/blocks?0.02": 200,
    "/large?9": 502,
    "/large?1": 200,
    "/background?0.01": 200,
    "/stream": 200,
    "/no_content?204": 204,
}

WSGI = {
    "/raises": 500,
    "/raises_within": 500,
    "/closing_raises": 500,
    "/leaves": 500,
    "/never": 500,
    "/twice": 500,
    "/body_first": 500,
    "/text": 500,
    "/nothing": 500,
    "/odd_status": 500,
    "/odd_field": 500,
    "/odd_name": 500,
    "/short": 500,
    "/long": 200,
    "/replaces": 503,
    "/hangs?0.02": 200,
    "/large?9": 502,
    "/large?1": 200,
    "/closing": 200,
    "/stream": 200,
    "/no_content?304": 304,
}


@pytest.mark.parametrize(
    ("kind", "loop"), [*(("asgi", loop) for loop in LOOPS), ("wsgi", "")]
)
async def test_every_fault(runtime, kind, loop, long):
    """Each invocation has its own reply, whatever the others do."""
    expected = ASGI if kind == "asgi" else WSGI
    paths = [*expected] * (ROUNDS_LONG if long else ROUNDS)
    random.Random(0).shuffle(paths)
    queue = iter(paths)
    runtime.max_polls = AT_ONCE
    wrong = []
    environ = {"AWS_LWA_ASGI_LOOP": loop} if loop else {}
    command = ["--app-dir", PROGRAMS, f"--{kind}", f"{kind}_app:app"]
    async with open_adapter(
        runtime.address, command, AWS_LAMBDA_MAX_CONCURRENCY=str(AT_ONCE), **environ
    ) as adapter:
        await runtime.invoke(http_event("/large", "1"))
        before = memory(adapter.process.pid)

        async def invoke_each():
            for path in queue:
                name, _, query = path.partition("?")
                seconds = SOON if expected[path] == 504 else 20
                deadline = str(int((time.time() + seconds) * 1000))
                posted = await runtime.invoke(
                    http_event(name, query), lambda_runtime_deadline_ms=deadline
                )
                reply = posted.json()
                if (posted.kind, reply["statusCode"]) != ("response", expected[path]):
                    wrong.append((path, reply))

        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(invoke_each)
        growth = memory(adapter.process.pid) - before

    answered = [each.target for each in runtime.posted if each.kind == "response"]
    assert wrong == []
    assert len(answered) == len(set(answered)) == len(paths) + 1
    assert growth < MOST_GROWTH, growth
    for first, second in itertools.pairwise(sorted(answered)):
        assert first != second


@pytest.mark.parametrize("loop", LOOPS)
async def test_every_fault_in_a_stream(runtime, loop):
    """Each stream ends: with its last piece, or with an error that Lambda counts."""
    async with open_adapter(
        runtime.address,
        ["--app-dir", PROGRAMS, "--asgi", "asgi_app:app"],
        AWS_LWA_ASGI_LOOP=loop,
        AWS_LWA_INVOKE_MODE="response_stream",
    ):
        for path, status in ASGI.items():
            name, _, query = path.partition("?")
            seconds = SOON if status == 504 else 20
            deadline = str(int((time.time() + seconds) * 1000))
            posted = await runtime.invoke(
                http_event(name, query), lambda_runtime_deadline_ms=deadline
            )
            broken = dict(posted.trailers).get("Lambda-Runtime-Function-Error-Type")
            if name == "/raises_within":
                assert broken, path
            elif name != "/large":
                assert not broken, path
                assert posted.prelude()["statusCode"] in {status, 200}, path

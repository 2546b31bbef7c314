"""Frameworks in the adapter's process: their responses are those behind their server.

Each application is served three times and more: as a child, by the server that it is
usually run by, and in the adapter's process on each loop that it can run on.
"""

import json
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.adapter import open_adapter
from tests.catalogue import KINDS, SQS, WEB_SOCKET
from tests.emulator import PROJECT
from tests.fake_runtime_api import open_fake_runtime_api
from tests.ports import free_port

FRAMEWORKS = str(PROJECT / "tests/programs/frameworks")
PATHS = [
    *("/", "/stream", "/bytes", "/cookies", "/redirect", "/error", "/empty"),
    *("/echo/a%20b", "/nowhere"),
]
NOT_COMPARED = {"date", "server"}
HAS_TRIO_ASYNCIO = sys.version_info < (3, 14)

ANYIO = ["asyncio", "trio-asyncio", "trio"]
ASYNCIO = ["asyncio", "trio-asyncio"]

CASES = {
    "starlette": ("starlette_app:app", ANYIO),
    "fastapi": ("fastapi_app:app", ANYIO),
    "litestar": ("litestar_app:app", ANYIO),
    "quart": ("quart_app:app", ASYNCIO),
    "quart-trio": ("quart_trio_app:app", ["trio"]),
    "django-asgi": ("django_app:asgi", ASYNCIO),
    "django-wsgi": ("django_app:wsgi", ["thread", "inline"]),
    "flask": ("flask_app:app", ["thread", "inline"]),
    "bottle": ("bottle_app:app", ["thread", "inline"]),
}

FIELDS = {"host": "example.com", "x-test": "value"}
OTHER = {"direct", "web_socket"}
HTTP = {name: make for name, make in KINDS.items() if name not in OTHER}

EVENTS = [
    *(make("GET", path, None, FIELDS) for make in HTTP.values() for path in PATHS),
    *(make("HEAD", "/", None, FIELDS) for make in HTTP.values()),
    *(make("POST", "/echo/x", "text", FIELDS) for make in HTTP.values()),
    SQS,
    WEB_SOCKET,
]


def server(name, way, port):
    """Return the command of an application's usual server."""
    scripts = Path(sys.executable).parent
    address = f"127.0.0.1:{port}"
    if way in {"thread", "inline"}:
        command = ["gunicorn", "--no-control-socket", "--bind", address]
    elif name.startswith("quart_trio"):
        command = ["hypercorn", "--worker-class", "trio", "--bind", address]
    else:
        command = ["uvicorn", "--log-level", "critical", "--port", str(port)]
    return [str(scripts / command[0]), *command[1:], name]


@asynccontextmanager
async def serve(name, way, port=None, **environ):
    """Serve an application in the adapter's process, or as a child."""
    environ = {"PYTHONPATH": FRAMEWORKS, **environ}
    async with open_fake_runtime_api() as runtime:
        if way.startswith("child"):
            command = server(name, way.partition(" ")[2], port)
        else:
            is_wsgi = way in {"thread", "inline"}
            environ |= (
                {"AWS_LWA_WSGI_INLINE": str(way == "inline")}
                if is_wsgi
                else {"AWS_LWA_ASGI_LOOP": way}
            )
            command = ["--wsgi" if is_wsgi else "--asgi", name]
        async with open_adapter(
            runtime.address, command, port=port, **environ
        ) as adapter:
            yield runtime, adapter


def comparable(posted):
    """Return what was posted, as far as it has to be the same."""
    if posted.is_stream:
        return shown(posted.prelude()), posted.content(), dict(posted.trailers)
    return posted.kind, shown(posted.json())


def shown(document):
    """Return a reply without the headers that differ, names in lower case."""
    reply = dict(document)
    for key in ("headers", "multiValueHeaders"):
        if key in reply:
            reply[key] = {
                name.lower(): value
                for name, value in reply[key].items()
                if name.lower() not in NOT_COMPARED
            }
    return reply


async def respond(name, ways, mode, events):
    """Return what an application responds in each way, and what is in the logs."""
    port, results = free_port(), {}
    async with AsyncExitStack() as stack:

        async def collect(way, runtime):
            results[way] = [comparable(await runtime.invoke(e)) for e in events]

        served = {
            way: await stack.enter_async_context(
                serve(name, way, port, AWS_LWA_INVOKE_MODE=mode)
            )
            for way in [f"child {ways[0]}", *ways]
        }
        async with trio.open_nursery() as nursery:
            for way, (runtime, _) in served.items():
                nursery.start_soon(collect, way, runtime)
        logs = {way: adapter.log for way, (_, adapter) in served.items()}
    return results, logs


@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
@pytest.mark.parametrize("case", CASES)
async def test_responses(case, mode):
    """A response is the same, byte for byte, wherever its application runs."""
    name, ways = CASES[case]
    ways = [way for way in ways if HAS_TRIO_ASYNCIO or way != "trio-asyncio"]
    results, logs = await respond(name, ways, mode, EVENTS)

    expected = results[f"child {ways[0]}"]
    for way in ways:
        triples = zip(EVENTS, results[way], expected, strict=True)
        for event, ours, theirs in triples:
            assert ours == theirs, (way, event, logs[way][-2000:])


FILE_EVENTS = [
    HTTP["http_api"](method, f"/{wrap}/{path}", None, {**FIELDS, **fields})
    for wrap in (
        *("none", "gzip", "brotli", "compress", "zstd", "base", "reads", "both"),
    )
    for path in ("relative", "absolute", "static/files_app.py", "static/nowhere")
    for method, fields in (
        ("GET", {}),
        ("GET", {"accept-encoding": "gzip, br, zstd"}),
        ("GET", {"accept-encoding": wrap.replace("brotli", "br")}),
        ("GET", {"range": "bytes=10-19"}),
        ("HEAD", {}),
    )
]


@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
async def test_files_behind_middleware(mode):
    """A file goes through middleware that changes bodies as it does behind uvicorn."""
    ways = [way for way in ANYIO if HAS_TRIO_ASYNCIO or way != "trio-asyncio"]

    results, _ = await respond("files_app:app", ways, mode, FILE_EVENTS)

    expected = results.pop("child asyncio")
    for way, ours in results.items():
        for event, one, other in zip(FILE_EVENTS, ours, expected, strict=True):
            assert one == other, (way, event)
    statuses = [each.get("statusCode") for each in map(head_of, expected)]
    assert {200, 206, 404} <= set(statuses)
    assert 500 not in statuses


def head_of(posted):
    """Return what has a reply's status."""
    return next(each for each in posted if isinstance(each, dict))


@pytest.mark.parametrize("loop", [*ASYNCIO[: 1 + HAS_TRIO_ASYNCIO], "trio"])
async def test_mcp_server(loop):
    """An MCP server's sessions live with the environment, and its tools are called."""
    ask = {"jsonrpc": "2.0", "id": 1}
    call = {"name": "add", "arguments": {"a": 2, "b": 3}}
    who = {"name": "client", "version": "1"}
    messages = [
        {
            **ask,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": who,
            },
        },
        {**ask, "method": "tools/call", "params": call},
    ]
    fields = {
        "host": "localhost:8080",
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": "2025-06-18",
    }
    async with serve("mcp_app:app", loop) as (runtime, adapter):
        replies = [
            await runtime.invoke(
                KINDS["function_url"]("POST", "/mcp", json.dumps(message), fields)
            )
            for message in messages
        ]

    assert [each.json()["statusCode"] for each in replies] == [200, 200], adapter.log
    called = json.loads(str(replies[1].json()["body"]))
    assert called["result"]["content"][0]["text"] == "5"


@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
@pytest.mark.parametrize("loop", [*ASYNCIO[: 1 + HAS_TRIO_ASYNCIO], "trio"])
async def test_background_tasks_where_the_end_is_watched(loop, mode):
    """Background tasks run behind middleware that cancels an unfinished ``send``."""
    async with serve("watching_app:app", loop, AWS_LWA_INVOKE_MODE=mode) as (
        runtime,
        adapter,
    ):
        for path in ("/whole", "/stream") * 2:
            await runtime.invoke(KINDS["function_url"]("GET", path))
        await runtime.wait(lambda: runtime.polls == 1)

    worked = [line for line in adapter.log.splitlines() if "worked" in line]
    assert worked == ["worked after whole", "worked after stream"] * 2, adapter.log


@pytest.mark.parametrize("loop", ASYNCIO[: 1 + HAS_TRIO_ASYNCIO])
async def test_django_goes_back_and_forth(loop):
    """Django's coroutines and threads call each other, and its database."""
    async with serve("django_app:asgi", loop) as (runtime, adapter):
        posted = [
            await runtime.invoke(KINDS["function_url"]("GET", "/mixed"))
            for _ in range(3)
        ]

    bodies = [each.json()["body"] for each in posted]
    assert bodies == ['{"both": [2, "later"]}'] * 3, adapter.log


async def test_event_that_is_not_http():
    """An event that is not HTTP is the body of a POST."""
    async with serve("fastapi_app:app", "asyncio") as (runtime, _):
        posted = await runtime.invoke(SQS)

    assert posted.json() == SQS

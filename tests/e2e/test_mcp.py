"""The example of an MCP server, on uvicorn: the SDK's client through a function URL."""

import asyncio
import json

import pytest
from mcp import Client

from tests.adapter import open_adapter
from tests.catalogue import FUNCTION_URL_HOST, HOST, function_url
from tests.e2e.applications import example_on_uvicorn, open_streaming_example
from tests.e2e.conftest import SHIV_ROOT
from tests.emulator import BOOTSTRAP
from tests.fake_runtime_api import FakeRuntimeApi
from tests.ports import free_port

FIELDS = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2025-06-18",
}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture(scope="module")
def app():
    """Serve the example behind a function URL that streams."""
    with open_streaming_example("mcp") as app:
        yield app


async def use(app):
    """List the tools and call them, with the SDK's client; return what came back."""
    seen = []

    async def progress(done, total, message):
        running = not app.invocations[0].told.is_set()
        seen.append((done, total, message, running))

    async with asyncio.timeout(20), Client(f"{app.base_url}/mcp") as client:
        listed = await client.list_tools()
        added = await client.call_tool("add", {"a": 2, "b": 3})
        arguments = {"to": 3, "seconds": 0.3}
        counted = await client.call_tool("count", arguments, progress_callback=progress)
    return listed, added, counted, seen


def test_client(app):
    """The tools are listed and called, and progress arrives before the result."""
    listed, added, counted, seen = asyncio.run(use(app))

    assert {tool.name for tool in listed.tools} == {"add", "count"}
    assert added.structured_content == {"result": 5}
    assert counted.content[0].text == "counted to 3"
    assert seen == [(n, 3, f"{n} of 3", True) for n in (1, 2, 3)]
    requests = [each.event["requestContext"]["http"] for each in app.invocations]
    assert {each["method"] for each in requests} == {"POST"}  # no stream is left open


def test_no_session(app):
    """A tool list needs no request before it: environments share no session."""
    response = app.post("/mcp", json=LIST, headers=FIELDS)

    assert response.status_code == 200
    assert "mcp-session-id" not in response.headers


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ("", {"localhost:8080": 200, FUNCTION_URL_HOST: 421}),
        (f"mcp.example,{FUNCTION_URL_HOST}", {FUNCTION_URL_HOST: 200, HOST: 421}),
        ("*", {FUNCTION_URL_HOST: 200}),
    ],
)
async def test_hosts(runtime: FakeRuntimeApi, hosts, expected):
    """The function URL's Host is accepted if it is named, or if every Host is."""
    port = free_port()
    seen = {}
    async with open_adapter(
        runtime.address,
        example_on_uvicorn("mcp", port),
        adapter=[str(BOOTSTRAP)],
        port=port,
        HOSTS=hosts,
        PYTHONDONTWRITEBYTECODE="1",
        SHIV_ROOT=SHIV_ROOT["SHIV_ROOT"],
        TMPDIR=SHIV_ROOT["TMPDIR"],
    ):
        for host in expected:
            fields = FIELDS | {"host": host}
            event = function_url("POST", "/mcp", json.dumps(LIST), fields)
            seen[host] = (await runtime.invoke(event)).json()["statusCode"]

    assert seen == expected

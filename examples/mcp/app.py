"""An MCP server whose tools report their progress while they run.

https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#streamable-http
"""

import os

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

server = MCPServer("example")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
async def count(to: int, context: Context, seconds: float = 0.5) -> str:
    """Count, and report each number."""
    for number in range(1, to + 1):
        await context.report_progress(number, to, f"{number} of {to}")
        await anyio.sleep(seconds)
    return f"counted to {to}"


@server.custom_route("/", methods=["GET"])
async def hello(request: Request) -> Response:
    """Tell the readiness check that all is well."""
    return PlainTextResponse("Hello from MCP! I am at /mcp.\n")


def security(hosts: str) -> TransportSecuritySettings | None:
    """Return what the SDK is to check of ``Host`` and ``Origin``.

    By default it takes requests for localhost alone, against DNS rebinding: a web page
    gets a browser to send requests to a server that only this browser can reach. Anyone
    can reach a function URL, whose callers sign what they send: there, HOSTS is ``*``.
    """
    if hosts == "*":
        return TransportSecuritySettings(enable_dns_rebinding_protection=False)
    if not hosts:
        return None
    names = hosts.split(",")
    origins = [f"https://{name}" for name in names]
    return TransportSecuritySettings(allowed_hosts=names, allowed_origins=origins)


# Stateless: the next request may get to another environment, which knows of no session.
app = server.streamable_http_app(
    stateless_http=True, transport_security=security(os.environ.get("HOSTS", ""))
)

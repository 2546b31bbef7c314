"""An MCP server with a tool; its session manager lives as long as the environment."""

from mcp.server import MCPServer

server = MCPServer("adder")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


app = server.streamable_http_app(
    stateless_http=True, json_response=True, transport_security=None
)

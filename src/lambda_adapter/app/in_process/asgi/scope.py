"""A request as an ASGI scope.

https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope
"""

from urllib.parse import unquote_to_bytes

from lambda_adapter.app.app import Call
from lambda_adapter.app.in_process.asgi.host import Scope
from lambda_adapter.app.in_process.connection_info import find_connection_info
from lambda_adapter.app.in_process.lambda_context import (
    Function,
    LambdaContext,
    decoded_event,
)
from lambda_adapter.http.messages import Request

_VERSION = {"version": "3.0", "spec_version": "2.4"}


def make_scope(
    request: Request,
    call: Call,
    function: Function,
    base_path: str,
    state: dict[str, object] | None,
) -> Scope:
    """Return the scope of a request.

    ``base_path`` is what AWS_LWA_REMOVE_BASE_PATH removes from a path. It becomes
    ``root_path``.
    """
    raw_path, _, query = request.target.partition(b"?")
    origin = find_connection_info(request, call.event, base_path)
    # With ``root_path``: the specification wants it in ``path`` as well.
    raw_path = origin.base_path.encode() + raw_path
    scope: Scope = {
        "type": "http",
        "asgi": _VERSION.copy(),
        "http_version": "1.1",
        "method": request.method.decode(),
        "scheme": origin.scheme,
        "path": decode_path(raw_path),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": origin.base_path,
        "headers": [(name.lower(), value) for name, value in request.fields],
        "client": (origin.client, 0),
        # Without the brackets of an IPv6 address, which only URLs have.
        "server": (origin.server[0].strip("[]"), origin.server[1]),
        # Not http.response.pathsend, although it is understood: as behind uvicorn,
        # middleware has to see each file as a body, to compress it for example.
        "extensions": {},
        "aws.event": decoded_event(call.invocation.payload),
        "aws.context": LambdaContext(call.invocation, function),
    }
    if state is not None:
        # A shallow copy, as the specification says.
        scope["state"] = state.copy()
    return scope


def decode_path(path: bytes) -> str:
    """Decode a path once; bytes that are not UTF-8 become U+FFFD, as under uvicorn."""
    if b"%" not in path:
        return path.decode()
    return unquote_to_bytes(path).decode("utf-8", "replace")

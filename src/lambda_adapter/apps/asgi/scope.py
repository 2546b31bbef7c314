"""A request as an ASGI scope. Core: no I/O.

https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope
"""

from urllib.parse import unquote_to_bytes

from lambda_adapter.apps.app import Turn
from lambda_adapter.apps.asgi.host import Scope
from lambda_adapter.apps.origin import origin_of
from lambda_adapter.events.decoded import decoded_event
from lambda_adapter.http.messages import Request
from lambda_adapter.runtime.lambda_context import Function, LambdaContext

_VERSION = {"version": "3.0", "spec_version": "2.4"}


def make_scope(
    request: Request,
    turn: Turn,
    function: Function,
    base_path: str,
    state: dict[str, object] | None,
) -> Scope:
    """Return the scope of a request.

    ``base_path`` is what AWS_LWA_REMOVE_BASE_PATH takes off a path; here it becomes
    ``root_path``, which the specification wants in ``path`` as well.
    """
    raw_path, _, query = request.target.partition(b"?")
    origin = origin_of(request, turn.event, base_path)
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
        "client": (origin.client, 0) if origin.client else None,
        "server": origin.server,
        "extensions": {"http.response.pathsend": {}},
        "aws.event": decoded_event(turn.invocation.payload),
        "aws.context": LambdaContext(turn.invocation, function),
    }
    if state is not None:
        scope["state"] = state.copy()
    return scope


def decode_path(path: bytes) -> str:
    """Decode a path once; what is not UTF-8 then becomes U+FFFD, as under uvicorn."""
    if b"%" not in path:
        return path.decode()
    return unquote_to_bytes(path).decode("utf-8", "replace")

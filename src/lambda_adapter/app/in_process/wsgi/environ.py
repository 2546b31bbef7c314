"""A request as a WSGI environ.

https://peps.python.org/pep-3333/#environ-variables
"""

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol
from urllib.parse import unquote_to_bytes

from lambda_adapter.app.app import Call
from lambda_adapter.app.in_process.connection_info import (
    ConnectionInfo,
    find_connection_info,
)
from lambda_adapter.app.in_process.lambda_context import (
    Function,
    LambdaContext,
    decoded_event,
)
from lambda_adapter.http.messages import Request

Environ = dict[str, object]

_OWN = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
"""Headers whose variables have no ``HTTP_``."""


class Readable(Protocol):
    """A file to send."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""


class FileWrapper:
    """https://peps.python.org/pep-3333/#optional-platform-specific-file-handling."""

    def __init__(self, file: Readable, size: int = 65_536) -> None:
        self._file = file
        self._size = size
        close: Callable[[], object] | None = getattr(file, "close", None)
        if close:
            self.close = close

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._file.read(self._size):
            yield piece


_CONSTANTS: Environ = {
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.version": (1, 0),
    # The whole body is there, so that reading to its end is safe: werkzeug asks.
    "wsgi.input_terminated": True,
    # Lambda runs as many environments as it wants.
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.file_wrapper": FileWrapper,
}


def make_environ(
    request: Request,
    call: Call,
    function: Function,
    base_path: str,
    *,
    multithread: bool,
) -> Environ:
    """Return the environ of a request.

    ``base_path`` is what AWS_LWA_REMOVE_BASE_PATH removes from a path. It becomes
    ``SCRIPT_NAME``. ``aws.event`` and ``aws.context`` are as in ASGI's scope.
    """
    connection = find_connection_info(request, call.event, base_path)
    return {
        **_CONSTANTS,
        **_request_variables(request, connection),
        "wsgi.url_scheme": connection.scheme,
        "wsgi.input": io.BytesIO(request.body),
        # Looked up for each request, since some applications replace it.
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": multithread,
        "aws.event": decoded_event(call.invocation.payload),
        "aws.context": LambdaContext(call.invocation, function),
        **_header_variables(request.fields),
    }


def _request_variables(request: Request, connection: ConnectionInfo) -> Environ:
    # Text of PEP 3333 is bytes in disguise: each character is one byte, as in Latin-1.
    raw_path, _, query = request.target.partition(b"?")
    name, port = connection.server
    uri = connection.base_path + request.target.decode("latin-1")
    return {
        "REQUEST_METHOD": request.method.decode(),
        "SCRIPT_NAME": unquote_to_bytes(connection.base_path).decode("latin-1"),
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": name,
        "SERVER_PORT": str(port),
        "REMOTE_ADDR": connection.client,
        # The path before it was decoded: gunicorn's name for it, and uWSGI's. Without
        # them, an application can't tell %2F from a slash.
        "RAW_URI": uri,
        "REQUEST_URI": uri,
    }


def _header_variables(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers as variables; headers of the same name are joined by commas."""
    variables: dict[str, str] = {}
    for name, value in fields:
        # As gunicorn does: a client's ``X_A`` would pass for the gateway's ``X-A``.
        if b"_" in name:
            continue
        lower = name.lower()
        variable = _OWN.get(lower) or "HTTP_" + _upper(lower)
        text = value.decode("latin-1")
        said = variables.get(variable)
        variables[variable] = text if said is None else f"{said},{text}"
    return variables


def _upper(name: bytes) -> str:
    return name.upper().replace(b"-", b"_").decode()

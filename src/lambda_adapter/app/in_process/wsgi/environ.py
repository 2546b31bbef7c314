"""A request as a WSGI environ.

https://peps.python.org/pep-3333/#environ-variables
"""

import io
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol
from urllib.parse import unquote_to_bytes

from lambda_adapter.app.app import Call
from lambda_adapter.app.in_process.aws import Function, LambdaContext, decoded_event
from lambda_adapter.app.in_process.connection_info import find_connection_info
from lambda_adapter.http.messages import Request

Environ = dict[str, object]

_OWN = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
"""Fields whose variables have no ``HTTP_``."""


class Readable(Protocol):
    """A file, to be sent."""

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


def make_environ(
    request: Request,
    call: Call,
    function: Function,
    base_path: str,
    *,
    multithread: bool,
) -> Environ:
    """Return the environ of a request.

    ``base_path`` is what AWS_LWA_REMOVE_BASE_PATH takes off a path; here it becomes
    ``SCRIPT_NAME``. The environ has ``aws.event`` and ``aws.context``, as ASGI's scope.
    """
    raw_path, _, query = request.target.partition(b"?")
    origin = find_connection_info(request, call.event, base_path)
    name, port = origin.server
    target = request.target.decode("latin-1")
    environ: Environ = {
        "REQUEST_METHOD": request.method.decode(),
        "SCRIPT_NAME": unquote_to_bytes(origin.base_path).decode("latin-1"),
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": name,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": origin.client,
        "RAW_URI": origin.base_path + target,
        "REQUEST_URI": origin.base_path + target,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": origin.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": True,  # Lambda runs as many environments as it wants
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "aws.event": decoded_event(call.invocation.payload),
        "aws.context": LambdaContext(call.invocation, function),
    }
    environ.update(_variables(request.fields))
    return environ


def _variables(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return header fields as variables, those of one name joined by commas.

    A name with an underscore is left out, as gunicorn does: ``X_A`` would pass for
    ``X-A``.
    """
    variables: dict[str, str] = {}
    for name, value in fields:
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

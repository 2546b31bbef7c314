"""Send the hooks' requests to the application, each over its own connection.

Only the response's status is used. The sockets block, with a deadline.
"""

import socket
import time

from lambda_adapter import __version__
from lambda_adapter.config import Config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_adapter.http.messages import Address

MAX_HEAD = 131_072
"""Largest head of a response, in bytes."""

MAX_DRAINED = 1_048_576
"""Most bytes of a body to read, so that the application can finish its response."""


class RequestFailedError(Exception):
    """The application gave no response; the message has the reason."""


def request_status(
    address: "Address",
    method: str,
    path: str,
    seconds: float,
    headers: "Iterable[tuple[str, str]]" = (),
    body: bytes = b"",
) -> int:
    """Send a request to the application; return the status of its response.

    Raises:
        RequestFailedError: there is no response in time.
    """
    deadline = time.monotonic() + seconds
    try:
        with _connect_to_app(address, seconds) as connection:
            connection.settimeout(_seconds_left(deadline))
            connection.sendall(_encode(address, method, path, headers, body))
            return _read_status(connection, deadline)
    except TimeoutError:
        raise RequestFailedError(f"no response within {seconds:g} s") from None
    except (OSError, ValueError) as error:
        raise RequestFailedError(str(error) or type(error).__name__) from None


def check_ready(config: Config, seconds: float) -> str | None:
    """Check once whether the application is ready; return why not, or None.

    The settings are those of the readiness check on Lambda.
    """
    address, path = config.readiness_address, config.readiness_path
    try:
        if config.readiness_protocol == "tcp":
            _connect_to_app(address, seconds).close()
            return None
        status = request_status(address, "GET", path, seconds)
    except (RequestFailedError, OSError) as error:
        return str(error)
    if status in config.readiness_healthy_status:
        return None
    return f"GET {path} returned status {status}"


def _connect_to_app(address: "Address", seconds: float) -> socket.socket:
    if isinstance(address, tuple):
        return socket.create_connection(address, seconds)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(seconds)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _seconds_left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _encode(
    address: "Address",
    method: str,
    path: str,
    headers: "Iterable[tuple[str, str]]",
    body: bytes,
) -> bytes:
    host = "localhost"
    if isinstance(address, tuple):
        name = f"[{address[0]}]" if ":" in address[0] else address[0]
        host = f"{name}:{address[1]}"
    lines = [
        f"{method} {path} HTTP/1.1",
        f"host: {host}",
        f"user-agent: lambda-adapter/{__version__} (MicroVM)",
        "accept: */*",
        "connection: close",
        *(f"{name}: {value}" for name, value in headers),
    ]
    if method == "POST":
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _read_status(connection: socket.socket, deadline: float) -> int:
    """Read a response after any interim ones (1xx); return its status."""
    received = b""
    while True:
        head, end, rest = received.partition(b"\r\n\r\n")
        if not end:
            if len(received) > MAX_HEAD:
                raise ValueError("the head of its response is too long")
            piece = _receive(connection, deadline)
            if not piece:
                raise ValueError("it closed the connection without a response")
            received += piece
            continue
        version, _, after = head.partition(b" ")
        if not version.startswith(b"HTTP/1.") or not after[:3].isdigit():
            raise ValueError("its response is not HTTP/1.1")
        status = int(after[:3])
        if status >= 200:
            _read_to_end(connection, deadline)
            return status
        received = rest


def _read_to_end(connection: socket.socket, deadline: float) -> None:
    """Read until the application closes, as ``connection: close`` requested.

    A response that streams without end is not a failure, since its status is known.
    """
    size = 0
    try:
        while size < MAX_DRAINED and (piece := _receive(connection, deadline)):
            size += len(piece)
    except OSError:
        return


def _receive(connection: socket.socket, deadline: float) -> bytes:
    connection.settimeout(_seconds_left(deadline))
    return connection.recv(65_536)

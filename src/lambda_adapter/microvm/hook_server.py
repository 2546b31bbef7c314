"""Serve the port of a MicroVM's hooks: HTTP/1.1 as far as Lambda's calls need it.

Lambda calls from 127.0.0.1 with ``Host: localhost:PORT``, after probing the same port
with a TLS ClientHello. Each connection has its own thread and carries one request.
"""

import socket
import threading

from lambda_adapter.microvm.hooks import Hooks
from lambda_adapter.microvm.notices import notice

PREFIX = "/aws/lambda-microvms/runtime/v1/"

TLS_HANDSHAKE = b"\x16"
"""First byte of a ClientHello: https://www.rfc-editor.org/rfc/rfc8446#section-5.1"""

READ_TIMEOUT = 10.0
"""Timeout of a silent connection, in seconds."""

MAX_HEAD = 65_536
"""Largest head of a request, in bytes."""

MAX_BODY = 65_536
"""Most bytes of a body for the application; AWS allows a payload of 16 KB."""

MAX_READ = 16_777_216
"""Most bytes of a body to read; the rest of a longer one is not waited for."""

LOCAL = {"localhost", "127.0.0.1", "[::1]"}
"""Values of ``Host`` in Lambda's own calls. A client that reaches this port through the
MicroVM's proxy sends the host of its endpoint."""

REASONS = {
    200: "OK",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def listen(port: int) -> socket.socket:
    """Listen on a port of all addresses, with IPv6 if the machine has it.

    Raises:
        OSError: the port is in use.
    """
    if socket.has_ipv6:
        try:
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True
            )
        except (OSError, ValueError):  # no IPv6 here, or the port is taken
            pass
    return socket.create_server(("", port))


def serve(listener: socket.socket, hooks: Hooks) -> None:
    """Serve for ever, with one thread to accept and one for each connection."""
    threading.Thread(
        target=_accept_hook_calls, args=(listener, hooks), daemon=True
    ).start()


def _accept_hook_calls(listener: socket.socket, hooks: Hooks) -> None:
    while True:
        try:
            connection, _ = listener.accept()
            threading.Thread(
                target=_serve_hook_call, args=(connection, hooks), daemon=True
            ).start()
        # Out of files or threads, or a client that hung up: the next call may succeed.
        except (OSError, RuntimeError) as error:
            notice(f"a call of a hook could not be accepted: {error}", "WARNING")
            hooks.ended.wait(0.1)


def _serve_hook_call(connection: socket.socket, hooks: Hooks) -> None:
    with connection:
        try:
            connection.settimeout(READ_TIMEOUT)
            request = _read_hook_request(connection)
            if request is None:
                return
            status = _run_requested_hook(hooks, *request)
            connection.sendall(
                f"HTTP/1.1 {status} {REASONS[status]}\r\n"
                "content-length: 0\r\nconnection: close\r\n\r\n".encode()
            )
            # The response to ``terminate`` is out, so the parent need not wait any
            # longer.
            if hooks.ended.is_set():
                hooks.answered.set()
            connection.shutdown(socket.SHUT_WR)
            # Closing with unread bytes would reset the connection, and the caller might
            # lose the response.
            connection.recv(1)
        except OSError:  # the caller is gone
            return


def _run_requested_hook(
    hooks: Hooks, line: str, headers: dict[str, str], body: bytes
) -> int:
    """Run the hook of a request, and return the response's status."""
    method, _, target = line.partition(" ")
    path = target.partition(" ")[0].partition("?")[0]
    call = hooks.calls.get(path.removeprefix(PREFIX))
    if not path.startswith(PREFIX) or call is None:
        return 404
    # The port is open to the MicroVM's proxy as well, and through it to clients.
    if not _is_local(headers):
        notice(
            f"{path}: refused: it was called through a proxy, or by a browser",
            "WARNING",
        )
        return 403
    if method != "POST":
        return 405
    return call(body)


def _is_local(headers: dict[str, str]) -> bool:
    host = headers.get("host", "").strip().lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name in LOCAL and not any(
        header.startswith(("x-aws-proxy-", "x-forwarded-", "origin", "sec-fetch-"))
        for header in headers
    )


def _read_hook_request(
    connection: socket.socket,
) -> tuple[str, dict[str, str], bytes] | None:
    """Return a request's line, headers and body; None if it is not HTTP."""
    received = connection.recv(65_536)
    # Lambda probes the port with TLS before each call, and expects no answer.
    if received.startswith(TLS_HANDSHAKE):
        return None
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65_536)
        received += piece
        if not piece or len(received) > MAX_HEAD:
            return None
    head, _, body = received.partition(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").split("\r\n")
    pairs = [each.partition(":") for each in rest]
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return line, headers, _read_hook_body(connection, headers, body)


def _read_hook_body(
    connection: socket.socket, headers: dict[str, str], received: bytes
) -> bytes:
    """Return the body, as much as arrived: no body makes a call fail."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _read_hook_chunks(connection, received)
    length = headers.get("content-length", "0")
    size = int(length) if length.isascii() and length.isdigit() else 0
    pieces, count = [received], len(received)
    while count < min(size, MAX_READ) and (piece := connection.recv(65_536)):
        if count < MAX_BODY:
            pieces.append(piece)
        count += len(piece)
    body = b"".join(pieces)[:size]
    return body if size <= MAX_BODY else b""


def _read_hook_chunks(connection: socket.socket, received: bytes) -> bytes:
    """Return a chunked body.

    https://www.rfc-editor.org/rfc/rfc9112#section-7.1
    """
    body = b""
    while True:
        line, end, rest = received.partition(b"\r\n")
        if end:
            digits = line.partition(b";")[0].strip()
            try:
                size = int(digits, 16)
            except ValueError:  # not chunked after all
                return body
            if size == 0 or len(body) + size > MAX_BODY:
                return body if size == 0 else b""
            if len(rest) >= size + 2:
                body += rest[:size]
                received = rest[size + 2 :]
                continue
        piece = connection.recv(65_536)
        if not piece or len(received) > 2 * MAX_BODY:
            return body
        received += piece

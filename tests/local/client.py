"""A client that sends bytes, and reads one response."""

import socket
from dataclasses import dataclass

import h11

from lambda_adapter.http.messages import Fields

TIMEOUT = 60


@dataclass
class Received:
    """A response, as it came."""

    status: int
    fields: Fields
    body: bytes

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of a field."""
        return [value for each, value in self.fields if each.lower() == name]


def ask(
    port: int,
    target: str = "/",
    method: str = "GET",
    fields: Fields | None = None,
    body: bytes = b"",
) -> Received:
    """Send a request, byte for byte as given, and return the response.

    Raises:
        RemoteProtocolError: The response broke off.
    """
    lines = [f"{method} {target} HTTP/1.1".encode(), b"Host: 127.0.0.1:%d" % port]
    lines += [name + b": " + value for name, value in fields or []]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    request = b"\r\n".join([*lines, b"", b""]) + body
    connection = h11.Connection(h11.CLIENT)
    # What is sent is not h11's to judge; it only has to know what it reads.
    told = h11.Request(method=method, target="/", headers=[("Host", "x")])
    connection.send(told)
    connection.send(h11.EndOfMessage())
    received = Received(0, [], b"")
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as sock:
        sock.sendall(request)
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(sock.recv(65536))
            elif isinstance(event, h11.Response):
                received.status = event.status_code
                received.fields = list(event.headers)
            elif isinstance(event, h11.Data):
                received.body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return received

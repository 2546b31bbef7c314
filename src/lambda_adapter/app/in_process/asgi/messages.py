"""An ASGI application's messages, checked.

https://asgi.readthedocs.io/en/latest/specs/www.html#response-start-send-event
"""

import msgspec

from lambda_adapter.app.in_process.asgi.host import Message
from lambda_adapter.app.in_process.response import (
    check_fields,
    check_status,
    content_length,
)
from lambda_adapter.http.messages import Fields


class Start(msgspec.Struct, frozen=True):
    """The beginning of a response."""

    status: int
    fields: Fields
    length: int | None
    """The body's, if the application declares it."""


def start_of(message: Message) -> Start:
    """Read ``http.response.start``.

    Raises:
        RuntimeError: it is another message.
        ValueError, TypeError: its status or a field can't be sent.
    """
    if message["type"] != "http.response.start":
        raise RuntimeError(f"{message['type']} before http.response.start")
    fields = check_fields(message.get("headers", ()))
    return Start(check_status(message["status"]), fields, content_length(fields))


def body_of(message: Message) -> tuple[bytes, bool]:
    """Read ``http.response.body``: a piece, and whether more will follow.

    Raises:
        TypeError: the piece is not bytes.
    """
    body = message.get("body", b"")
    if not isinstance(body, bytes):
        if not isinstance(body, (bytearray, memoryview)):
            raise TypeError(f"the body is a {type(body).__name__}, not bytes")
        body = bytes(body)
    return body, bool(message.get("more_body", False))


def file_of(message: Message) -> str:
    """Read ``http.response.pathsend``: the name of a file.

    An application may send it, although no scope offers it. A relative path is the
    working directory's, as it is wherever the application opens the file itself.
    https://asgi.readthedocs.io/en/latest/extensions.html#path-send

    Raises:
        TypeError: it is not a path.
    """
    path = message["path"]
    if not isinstance(path, str):
        raise TypeError(f"the path is a {type(path).__name__}, not a str")
    return path

"""Read bodies and send responses in ASGI.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from starlette.types import Receive, Send

from lambda_adapter.http.messages import Response


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """Return a request's body, or None if it has more bytes than the limit."""
    pieces: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        piece: bytes = message.get("body", b"")
        size += len(piece)
        pieces.append(piece)
        if size > limit:
            pieces.clear()
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(pieces) if size <= limit else None


async def send_head(send: Send, response: Response) -> None:
    """Send the status and the headers."""
    start = {"type": "http.response.start", "status": response.status}
    await send({**start, "headers": response.fields})


async def send_piece(send: Send, piece: bytes, *, more: bool) -> None:
    """Send a piece of the body."""
    await send({"type": "http.response.body", "body": piece, "more_body": more})


async def send_whole(send: Send, response: Response) -> None:
    """Send a response that is not streamed."""
    await send_head(send, response)
    body = response.body if isinstance(response.body, bytes) else b""
    await send_piece(send, body, more=False)

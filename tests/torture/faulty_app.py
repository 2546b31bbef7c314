"""An application that does what the path or the body of a request says.

``/do/say/7`` is the sound response: it says ``say 7``. All else is one of ``ACTS``, but
for the readiness check, which also asks after a late response whether the application
responds.
"""

import re
from collections import Counter

import trio

from tests.torture.faults import CHUNKED, FAULTS, START, Fault, commit

CHECK = b"GET / HTTP/1.1\r\n"
"""The request line of a readiness check."""

OK_2 = START + b"content-length: 2\r\n\r\nok"

TOO_MUCH = {
    "too large a body": Fault(
        START + b"content-length: 7000000\r\n\r\n" + bytes(7_000_000), "keep"
    ),
    "too large a chunked body": Fault(
        CHUNKED + (b"f4240\r\n" + bytes(1_000_000) + b"\r\n") * 7 + b"0\r\n\r\n", "keep"
    ),
}
"""More than a reply holds. A stream has room for it."""

NO = b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 5\r\n\r\nearly"

EARLY = {
    "early, then read": Fault(NO, "hold"),
    "early, then closed": Fault(NO),
    "early, then reset": Fault(NO, "reset"),
    "early, then held": Fault(NO, "freeze"),
    "never read": Fault(then="freeze", stalls=True),
}
"""Answers that do not wait for the request."""

ODD = {
    "excess": (Fault(START + b"content-length: 2\r\n\r\nokay", "keep"), b"ok"),
    "two answers": (Fault(OK_2 + OK_2, "keep"), b"ok"),
    "garbage behind": (Fault(OK_2 + b"\0\xff\r\n", "keep"), b"ok"),
    "no length": (Fault(START + b"\r\nto the end"), b"to the end"),
    "said, then held": (
        Fault(START + b"connection: close\r\ncontent-length: 2\r\n\r\nok", "hold"),
        b"ok",
    ),
    "HTTP 1.0": (Fault(b"HTTP/1.0 200 OK\r\n\r\nold"), b"old"),
    "an empty body": (Fault(START + b"content-length: 0\r\n\r\n", "keep"), b""),
    "interim answers first": (
        Fault(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 99 + OK_2, "keep"),
        b"ok",
    ),
    "1,000 fields": (
        Fault(START + b"x: y\r\n" * 1_000 + b"content-length: 2\r\n\r\nok", "keep"),
        b"ok",
    ),
    "trailers": (Fault(CHUNKED + b"2\r\nok\r\n0\r\nx: y\r\n\r\n", "keep"), b"ok"),
    "chunk extensions": (
        Fault(CHUNKED + b"2" + b";x=y" * 1_000 + b"\r\nok\r\n0\r\n\r\n", "keep"),
        b"ok",
    ),
    "bytes as chunks": (
        Fault(CHUNKED + b"1\r\nx\r\n" * 5_000 + b"0\r\n\r\n", "keep"),
        b"x" * 5_000,
    ),
}
"""Answers that are odd and right, and what they say."""

ACTS = FAULTS | TOO_MUCH | EARLY | {name: act for name, (act, _) in ODD.items()}


class FaultyApp:
    """What it was asked for."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        """How often each thing was."""
        self.used: set[str] = set()
        """What was asked for over a connection that had been used before."""

    async def serve(self, stream: trio.SocketStream) -> None:
        """Serve one connection."""
        exchanges = 0
        async with stream:
            while request := await receive_asked(stream):
                what, name, data = request
                self.asked[name] += 1
                self.used |= {name} if exchanges else set()
                if not await answer(stream, what, name, data):
                    return
                exchanges += 1


async def answer(stream: trio.SocketStream, what: str, name: str, data: bytes) -> bool:
    """Do what was asked, and return whether the connection goes on."""
    if what not in EARLY and not await receive_rest(stream, data):
        return False
    if what == "say":
        head = START + b"content-length: %d\r\n\r\n" % len(name)
        await stream.send_all(head + name.encode())
        return True
    return await commit(ACTS[what], stream)


async def receive_asked(stream: trio.SocketStream) -> tuple[str, str, bytes] | None:
    """Read a request until it is known what it asks for; None if it never is."""
    data = b""
    while not (asked := re.search(rb"/do/([^/]+)/([0-9]+)", data)):
        if data.startswith(CHECK):
            await stream.send_all(OK_2)
            data = b""
        try:
            more = await stream.receive_some()
        except trio.BrokenResourceError:
            return None
        if not more:
            return None
        data += more
    what = asked[1].decode().replace("%20", " ")
    return what, f"{what} {asked[2].decode()}", data


async def receive_rest(stream: trio.SocketStream, data: bytes) -> bool:
    """Read a request to its end, and return whether it has one."""
    while b"\r\n\r\n" not in data:
        data += await stream.receive_some()
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"\ncontent-length: ([0-9]+)", head)
    missing = (int(length[1]) if length else 0) - len(body)
    while missing > 0:
        more = await stream.receive_some()
        if not more:
            return False
        missing -= len(more)
    return True

"""What can be wrong with an HTTP response, down to the byte, whoever gives it."""

import contextlib
from dataclasses import dataclass

import trio

from tests.scripted_app import FAULTS as SHORT_FAULTS
from tests.scripted_app import reset

START = b"HTTP/1.1 200 OK\r\n"
LENGTH_9 = START + b"content-length: 9\r\n\r\n"
CHUNKED = START + b"transfer-encoding: chunked\r\n\r\n"

AFTER_THE_HEAD = {
    "half a body",
    "half a body, reset",
    "half a chunk",
    "no last chunk",
}


@dataclass(frozen=True)
class Fault:
    """Raw bytes, and what becomes of the connection then.

    ``close`` hangs up, ``reset`` does so rudely, ``hold`` says nothing more until the
    peer hangs up, ``freeze`` does not even read, ``drip`` says ``again`` over and over,
    and ``keep`` goes on.
    """

    raw: bytes = b""
    then: str = "close"
    again: bytes = b""
    after_head: bool = False
    """Whether the head is whole and sound, and no fault comes in one piece with it."""
    stalls: bool = False
    """Whether only time can end it."""


FAULTS = {
    name: Fault(answer.raw, answer.then, after_head=name in AFTER_THE_HEAD)
    for name, answer in SHORT_FAULTS.items()
} | {
    "reset within the head": Fault(START + b"content-le", "reset"),
    "closed after the head": Fault(LENGTH_9, after_head=True),
    "reset after the head": Fault(LENGTH_9, "reset", after_head=True),
    "reset within a chunk": Fault(CHUNKED + b"9\r\nhalf", "reset", after_head=True),
    "closed within the trailers": Fault(CHUNKED + b"0\r\nx: y", after_head=True),
    "no answer": Fault(then="hold", stalls=True),
    "a head that stops": Fault(START + b"x: y\r\n", "hold", stalls=True),
    "a body that stops": Fault(
        LENGTH_9 + b"half", "hold", after_head=True, stalls=True
    ),
    "a chunk that stops": Fault(
        CHUNKED + b"4\r\nha", "hold", after_head=True, stalls=True
    ),
    "an endless status line": Fault(b"HTTP/1.1 200 ", "drip", b"O" * 5_000),
    "an endless name": Fault(START, "drip", b"x" * 5_000),
    "an endless value": Fault(START + b"x: ", "drip", b"y" * 5_000),
    "an endless head": Fault(START, "drip", b"x: y\r\n" * 1_000),
    "100,000 fields": Fault(START + b"x: y\r\n" * 100_000 + b"\r\n"),
    "endless interim answers": Fault(
        b"", "drip", b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 100
    ),
    "an endless chunk extension": Fault(
        CHUNKED + b"4;", "drip", b"x=y;" * 1_000, after_head=True
    ),
    "endless trailers": Fault(
        CHUNKED + b"0\r\n", "drip", b"x: y\r\n" * 1_000, after_head=True
    ),
    "an endless trailer": Fault(
        CHUNKED + b"0\r\nx: ", "drip", b"y" * 5_000, after_head=True
    ),
    "an endless chunk size": Fault(CHUNKED + b"f" * 1_000, "drip", b"f" * 1_000),
    "a chunk size of 2**64": Fault(CHUNKED + b"10000000000000000\r\n"),
    "a length of 2**64": Fault(
        START + b"content-length: 18446744073709551616\r\n\r\n", "hold"
    ),
    "a negative length": Fault(START + b"content-length: -1\r\n\r\n", "hold"),
    "a length that is no number": Fault(START + b"content-length: 4x\r\n\r\nhalf"),
    "an unknown coding": Fault(START + b"transfer-encoding: gzip\r\n\r\nhalf"),
    "coded and chunked": Fault(
        START + b"transfer-encoding: gzip, chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n"
    ),
    "no colon": Fault(START + b"x y\r\n\r\n"),
    "a space before the colon": Fault(START + b"x : y\r\n\r\n"),
    "no name": Fault(START + b": y\r\n\r\n"),
    "a NUL": Fault(START + b"x: \0\r\n\r\n"),
    "a bare CR": Fault(START + b"x: y\rz: a\r\n\r\n"),
    "HTTP 0.9": Fault(b"<html>half</html>"),
    "HTTP 2": Fault(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0d\0\4\0\xa0\0\0\0\2\0\0\0\0"),
    "a request": Fault(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"),
    "nothing but line breaks": Fault(b"\r\n\r\n\r\n"),
    "bytes": Fault(bytes(range(256)) * 16),
}


async def commit(fault: Fault, stream: trio.SocketStream) -> bool:
    """Do what a fault does, and return whether the connection goes on."""
    with contextlib.suppress(trio.BrokenResourceError):
        await stream.send_all(fault.raw)
        while fault.then == "drip":
            await stream.send_all(fault.again)
        if fault.then == "hold":
            await wait_gone(stream)
        if fault.then == "freeze":
            await trio.sleep_forever()
    if fault.then == "reset":
        reset(stream)
    return fault.then == "keep"


async def wait_gone(stream: trio.SocketStream) -> None:
    """Wait until the peer hangs up. What it still sends is let go of."""
    with contextlib.suppress(trio.BrokenResourceError):
        while await stream.receive_some():
            pass

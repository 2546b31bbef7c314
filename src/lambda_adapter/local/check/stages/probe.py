"""Probe what no link shows: WebSockets, and headers of a gateway's limit."""

import contextlib
import re
from collections.abc import AsyncIterator

import trio

from lambda_adapter.local.check.finding import Finding
from lambda_adapter.local.check.rules.requests import (
    judge_request_headers,
    judge_websocket,
)
from lambda_adapter.local.check.settings import Target
from lambda_adapter.local.check.subject import HOST, Subject

USUAL = (
    *("/", "/ws", "/websocket", "/socket", "/cable", "/chat", "/live", "/echo"),
    *("/stream", "/events", "/api/ws", "/graphql", "/notifications", "/updates"),
)
ENGINE = "/socket.io/?EIO=4&transport=websocket"
"""Socket.IO's: https://socket.io/docs/v4/engine-io-protocol/"""

_NAMED = re.compile(
    rb"""["'`](?:wss?:)?(?://[^/"'`]*)?(/[\w./-]*(?:ws|socket)[\w./-]*)"""
)
_OPENED = re.compile(rb"WebSocket\s*\(([^;\n]{1,200})")
_QUOTED = re.compile(rb"""["'`](?:wss?://[^/"'`]*)?(/[\w./-]*)""")
"""The paths in what a page's script opens a WebSocket to."""

_CLOSE = b"\x88\x80\0\0\0\0"
"""A close frame with a mask of zeros: RFC 6455, section 5.5.1."""

_WAIT = 1.0
"""Timeout of the response to an upgrade, in seconds."""

COOKIE = 7_000
"""Bytes of a large but common cookie: a server's line may have 8 KB."""

OTHER = 2_000
"""Bytes of another header; all together fit into API Gateway's 10,240."""


async def websockets(subject: Subject) -> AsyncIterator[Finding]:
    """Request a WebSocket at likely paths."""
    if not subject.has_port:
        return
    named = {
        match.decode()
        for page in subject.pages.values()
        for match in _websocket_paths(page.body[:200_000])
    }
    for path in [*dict.fromkeys([*USUAL, *sorted(named)[:10], ENGINE])]:
        if await _upgrades(subject, path):
            yield judge_websocket(path)
            return


def _websocket_paths(body: bytes) -> list[bytes]:
    opened = [path for call in _OPENED.findall(body) for path in _QUOTED.findall(call)]
    return [*opened, *_NAMED.findall(body)]


async def _upgrades(subject: Subject, path: str) -> bool:
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nOrigin: https://{HOST}\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    )
    answer = b""
    with (
        trio.move_on_after(_WAIT),
        contextlib.suppress(OSError, trio.BrokenResourceError),
    ):
        host = subject.options.config.host
        async with await trio.open_tcp_stream(host, subject.port) as stream:
            await stream.send_all(request.encode())
            answer = await stream.receive_some(65_536)
            if answer.startswith(b"HTTP/1.1 101"):
                await stream.send_all(_CLOSE)
                with contextlib.suppress(trio.BrokenResourceError):
                    while await stream.receive_some(65_536):
                        pass
    return answer.startswith(b"HTTP/1.1 101")


async def large_headers(subject: Subject) -> AsyncIterator[Finding]:
    """Send headers of a gateway's limit, and compare with short ones."""
    path = next(
        (path for path, page in subject.pages.items() if page.status < 400),
        subject.options.config.readiness_path,
    )
    plain = await subject.ask(Target(path))
    large = await subject.ask(
        Target(
            path,
            fields=[
                (b"Cookie", b"session=" + b"a" * COOKIE),
                (b"X-Large", b"a" * OTHER),
            ],
        )
    )
    if plain.status < 500:
        size = COOKIE + OTHER
        for finding in judge_request_headers(size, plain.status, large.status):
            yield finding

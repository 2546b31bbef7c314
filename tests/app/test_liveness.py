"""``liveness``: whether an application still responds after a late response."""

import math
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
import trio

from lambda_adapter.app.liveness import Liveness, count_unread
from lambda_adapter.config import Config
from tests.adapter import environment
from tests.ports import free_port
from tests.scripted_app import Answer, open_app, open_server, receive, said

QUICK, SLOW = 0.001, 1.0
"""Seconds that the check took when the application started."""

HANG = Answer(b"", "hold")


def liveness(port: int, usual: float = QUICK, **environ: Any) -> Liveness:
    config = Config(environment("127.0.0.1:9001", port, environ))
    return Liveness(config, usual)


async def responds(asking: Liveness, left: float = math.inf) -> bool:
    return await asking.responds(trio.current_time(), left)


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_any_response_will_do(status):
    """An application that responds is alive, whatever the status."""
    async with open_app(said(status)) as app:
        assert await responds(liveness(app.port))

    assert b"GET / HTTP/1.1\r\n" in app.requests[0].head


async def test_path_of_the_check():
    """The probe requests the readiness path, at the port of requests."""
    settings: dict[str, Any] = {
        "AWS_LWA_READINESS_CHECK_PATH": "/health",
        "AWS_LWA_READINESS_CHECK_PORT": str(free_port()),
    }
    async with open_app() as app:
        assert await responds(liveness(app.port, **settings))

    assert app.requests[0].head.startswith(b"GET /health HTTP/1.1\r\n")


async def test_no_response(clock):
    """An application that does not respond in time to a quick check is not alive."""
    async with open_app(HANG) as app:
        asking = liveness(app.port)
        assert not await responds(asking)
        await app.wait_all_closed()

    assert "responds to no other request" in asking.describe_silence()


@pytest.mark.parametrize(
    ("usual", "protocol"), [(SLOW, "http"), (QUICK, "tcp")], ids=["slow", "TCP"]
)
async def test_slow_path(clock, usual, protocol):
    """An application whose check is slow is alive if it reads the probe."""
    settings: dict[str, Any] = {"AWS_LWA_READINESS_CHECK_PROTOCOL": protocol}
    async with open_app(HANG) as app:
        asking = liveness(app.port, usual, **settings)

        assert await responds(asking)
        assert not await responds(asking)  # the first question has no response yet


async def test_slow_path_that_responds(clock):
    """A slow response counts if it has arrived before the next check."""
    async with open_app(Answer(b"", "more"), said(200)) as app:
        asking = liveness(app.port, SLOW)

        assert await responds(asking)
        await app.say(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "close")
        await app.wait_all_closed()
        assert await responds(asking)


@asynccontextmanager
async def busy(kind: str, path: str) -> AsyncIterator[dict[str, Any]]:
    """Listen, and accept nothing."""
    if kind == "TCP":
        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            yield {"PORT": str(listener.getsockname()[1])}
    else:
        with closing(socket.socket(socket.AF_UNIX)) as listener:
            listener.bind(path)
            listener.listen()
            yield {"AWS_LWA_UNIX_SOCKET": path}


@pytest.mark.parametrize("usual", [QUICK, SLOW], ids=["quick", "slow"])
@pytest.mark.parametrize("kind", ["TCP", "Unix"])
async def test_busy(clock, tmp_path, kind, usual):
    """A server that does not read the probe is not alive."""
    async with busy(kind, str(tmp_path / "socket")) as environ:
        assert not await responds(liveness(8080, usual, **environ))


async def test_nothing_listens(clock):
    """An application that does not listen is not alive, and that is said."""
    port = free_port()
    asking = liveness(port)

    assert not await responds(asking)
    refused = f"no connection to 127.0.0.1:{port}: Connection refused"
    assert f"does not listen any more ({refused}): " in asking.describe_silence()


async def test_hangs_up_first():
    """A server that hangs up and then responds was starting again, and is alive."""
    async with open_app(Answer(b""), said(200)) as app:
        assert await responds(liveness(app.port))


async def test_more_time_among_others(clock):
    """Workers have seconds to become free if invocations are concurrent."""

    async def respond_late(stream: trio.SocketStream) -> None:
        await receive(stream)
        await trio.sleep_until(trio.current_time() + 2)
        await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
        await stream.aclose()

    several: dict[str, Any] = {"AWS_LAMBDA_MAX_CONCURRENCY": "4"}
    async with open_server(respond_late) as port:
        assert await responds(liveness(port, **several))
        assert not await responds(liveness(port))


TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000001 00:00000000 00000000     0
   1: 0100007F:1F90 0100007F:C350 01 00000000:0000004B 00:00000000 00000000     0
   2: 0100007F:C350 0100007F:1F90 01 0000004B:00000000 00:00000000 00000000     0
"""


def test_unread_bytes():
    """Unread bytes are counted for one end of one connection."""
    assert count_unread(TABLE, 8080, 50000) == 75
    assert count_unread(TABLE, 50000, 8080) == 0
    assert count_unread(TABLE, 8080, 50001) == 0


async def test_ahead(clock):
    """A response to a probe that was sent ahead counts, once the request is late."""
    async with open_app(said(200), HANG) as app, trio.open_nursery() as nursery:
        asking = liveness(app.port)
        since = trio.current_time()
        asking.ask_ahead(nursery)
        await app.wait_all_closed()

        assert await asking.responds(since)
        assert len(app.requests) == 1
        await trio.sleep_until(since + 1)
        assert not await asking.responds(trio.current_time())


async def test_ahead_of_a_response_that_takes_long(clock):
    """A probe that was sent ahead has the second before the deadline for itself."""

    async def respond_late(stream: trio.SocketStream) -> None:
        await receive(stream)
        await trio.sleep_until(trio.current_time() + 0.5)
        await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
        await stream.aclose()

    async with open_server(respond_late) as port, trio.open_nursery() as nursery:
        asking = liveness(port)
        since = trio.current_time()
        asking.ask_ahead(nursery)
        await trio.sleep_until(since + 0.49)

        assert await asking.responds(since, 0.1)
        assert not await asking.responds(trio.current_time(), 0.1)


async def test_ahead_of_a_busy_server(clock, tmp_path):
    """A server that never reads a probe is not alive, however long it had."""
    async with busy("Unix", str(tmp_path / "socket")) as environ:
        asking = liveness(8080, **environ)
        async with trio.open_nursery() as nursery:
            since = trio.current_time()
            asking.ask_ahead(nursery)
            asking.ask_ahead(nursery)
            await trio.sleep_until(since + 1)

            assert not await asking.responds(since, 0.1)
            assert trio.current_time() - since < 1.2


async def test_until_lambdas_deadline(clock):
    """A probe ends before Lambda's deadline."""
    async with open_app(HANG) as app:
        since = trio.current_time()
        assert not await liveness(app.port).responds(since, 0.3)
        lasted = trio.current_time() - since

    assert lasted == pytest.approx(0.28, abs=0.02)

"""An application that is started again while its environment serves."""

import signal

import pytest
import trio

from tests.e2e.life import freeze, get, open_life, signal_all, tree
from tests.e2e.servers import SECOND, SERVERS, again, looped, node, of, pm2

CLUSTER = {"CLUSTER": "yes"}
RESTARTED = [
    pytest.param(looped, {}, id="shell loop"),
    pytest.param(node, CLUSTER, id="cluster"),
    pytest.param(pm2, {}, id="pm2-runtime"),
]
any_method = pytest.mark.parametrize("method", ["GET", "POST"])
frozen = pytest.mark.parametrize("stops", [False, True], ids=["running", "frozen"])


@frozen
@any_method
@pytest.mark.parametrize(("command", "environ"), RESTARTED)
async def test_requests_wait_for_a_restart(
    runtime, tmp_path, command, environ, method, stops
):
    """A request waits while a supervisor starts the application again."""
    async with open_life(runtime, tmp_path, command, **environ) as adapter:
        _, first = await get(runtime, "/")
        assert await get(runtime, "/exit") == (200, first)
        if stops:
            await freeze(adapter, 0.2)
        status, second = await get(runtime, "/", method=method)

    assert status == 200
    assert second != first
    assert "ERROR" not in adapter.log


@pytest.mark.parametrize(
    "server", of({name: server for name, (server, _) in SERVERS.items()})
)
async def test_every_server(runtime, tmp_path, server):
    """A server that is killed, and then frozen, is started again and serves."""
    async with open_life(runtime, tmp_path, again(server), **SECOND) as adapter:
        await get(runtime, "/", method="POST")
        _, _, *processes = tree(adapter.process.pid)
        signal_all(processes, signal.SIGKILL)
        await freeze(adapter, 0.2)
        status, _ = await get(runtime, "/", seconds=40, method="POST")

    assert status in {200, 204}
    assert "ERROR" not in adapter.log


async def test_on_a_unix_socket(runtime, tmp_path):
    """A request waits for a Unix socket, too, whether its file is there or not."""
    socket = tmp_path / "socket"
    environ = {"AWS_LWA_UNIX_SOCKET": str(socket)}
    async with open_life(runtime, tmp_path, looped, **environ):
        _, first = await get(runtime, "/")
        await get(runtime, "/exit")
        status, second = await get(runtime, "/", method="POST")
        await get(runtime, "/exit")
        socket.unlink(missing_ok=True)
        third = await get(runtime, "/")

    assert (status, third[0]) == (200, 200)
    assert len({first, second, third[1]}) == 3


async def test_several_at_once(runtime, tmp_path):
    """Concurrent requests all wait for the restart."""
    runtime.max_polls = 4
    replies: list[int] = []
    several = {"AWS_LAMBDA_MAX_CONCURRENCY": "4"}
    async with open_life(runtime, tmp_path, looped, **several):
        await get(runtime, "/exit")

        async def ask() -> None:
            replies.append((await get(runtime, "/", method="POST"))[0])

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(ask)

    assert replies == [200] * 4

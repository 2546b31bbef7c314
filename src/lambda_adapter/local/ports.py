"""What goes wrong on a desk alone: ports, and who listens on them."""

import contextlib
import socket

import trio

from lambda_adapter.config import Config
from lambda_adapter.local import processes

PATIENCE = 0.3
"""Seconds for a port to become free: what held it may be on its way out."""

POLL = 0.02
"""Seconds between two looks at a port."""

LOOK = 0.25
"""Seconds between two looks at what an application listens on."""

EXIT = 1.0
"""Seconds from an application's end to that of the adapter, and plenty of them."""

STEADY = 1.5
"""Seconds for which an application listens on another port, until it is told so."""


class SetupError(Exception):
    """Something to be put right before anything can run, in one line."""


def is_local(config: Config) -> bool:
    """Return whether the application listens on a port of this machine."""
    loopback = config.host in {"localhost", "::1", "0.0.0.0"}
    if config.unix_socket or config.is_in_process:
        return False
    return loopback or config.host.startswith("127.")


async def wait_free(port: int) -> None:
    """Return once nobody listens on a port.

    Raises:
        SetupError: somebody does, and goes on to.
    """
    with trio.move_on_after(PATIENCE):
        while not _is_free(port):  # noqa: ASYNC110 - no port tells that it is free
            await trio.sleep(POLL)
        return
    owner = await trio.to_thread.run_sync(processes.owner, port)
    who = f"by {owner}" if owner else "by another program"
    raise SetupError(
        f"port {port} is in use {who}, so the application can't listen there:"
        " end it, or choose another port with --app-port"
    )


async def find_misplaced(pid: int, port: int) -> SetupError:
    """Return, once an application listens on other ports alone, what to do."""
    since = trio.current_time()
    while True:
        await trio.sleep(LOOK)
        ports = await trio.to_thread.run_sync(_listening, pid)
        if not ports or port in ports:
            since = trio.current_time()
        elif trio.current_time() - since >= STEADY:
            found = min(ports)
            return SetupError(
                f"the application listens on port {found}, not on {port}:"
                f" add --app-port {found}, or have it listen on $PORT"
            )


async def find_foreigner(pid: int, port: int) -> SetupError | None:
    """Return whose server it is that listens on a port, if it is not the application's.

    Without this, another server's responses would pass for the application's.
    """
    if port in await trio.to_thread.run_sync(_listening, pid):
        return None
    if await trio.to_thread.run_sync(_is_free, port):
        # An application that has just ended is reported as what it is: the adapter ends
        # with it, and that cancels this. Otherwise it was another program's server.
        await trio.sleep(EXIT)
    owner = await trio.to_thread.run_sync(processes.owner, port)
    return SetupError(
        f"what listens on port {port} is {owner or 'another program'}, and not the"
        " application: choose another port with --app-port"
    )


def _listening(pid: int) -> set[int]:
    return processes.listening(processes.tree(pid))


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

"""Find problems with ports that only a developer's machine has."""

import contextlib
import itertools
import random
import socket

import trio

from lambda_adapter.config import Config
from lambda_adapter.local import processes

PATIENCE = 0.3
"""Seconds to wait for a port to become free: its process may be exiting."""

POLL = 0.02
"""Seconds between two checks of a port."""

LOOK = 0.25
"""Seconds between two checks of an application's ports."""

EXIT = 1.0
"""Generous upper bound, in seconds, from an application's exit to the adapter's."""

STEADY = 1.5
"""Seconds that an application must listen on another port to be reported."""


CHOSEN = range(10_000, 32_768)
"""Ports to choose from: beyond those of most services, below those of the system."""


class SetupError(Exception):
    """A problem that must be solved before anything can run, in one line."""


def free_ports(count: int) -> list[int]:
    """Return free ports, all different.

    The system gives higher ones to outgoing connections, and to whoever asks for any:
    such a port could be taken before the application listens on it.
    https://docs.kernel.org/networking/ip-sysctl.html (ip_local_port_range)
    """
    start = random.randrange(len(CHOSEN))  # noqa: S311 - no secret: two find others
    candidates = itertools.chain(CHOSEN[start:], CHOSEN[:start])
    return list(itertools.islice(filter(_is_free, candidates), count))


def is_local(config: Config) -> bool:
    """Return whether the application listens on a port of this machine."""
    loopback = config.host in {"localhost", "::1", "0.0.0.0"}
    if config.unix_socket or config.is_in_process:
        return False
    return loopback or config.host.startswith("127.")


async def wait_free(port: int) -> None:
    """Wait until nothing listens on a port.

    Raises:
        SetupError: a process still does.
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


async def find_misplaced(pid: int, port: int, own: int = 0) -> SetupError:
    """Wait until an application listens on other ports only; return what to do.

    ``own`` is a port on which the adapter listens.
    """
    since = trio.current_time()
    while True:
        await trio.sleep(LOOK)
        ports = await trio.to_thread.run_sync(_listening_ports, pid) - {own}
        if not ports or port in ports:
            since = trio.current_time()
        elif trio.current_time() - since >= STEADY:
            found = min(ports)
            return SetupError(
                f"the application listens on port {found}, not on {port}:"
                f" add --app-port {found}, or have it listen on $PORT;"
                f" on Lambda, set AWS_LWA_PORT={found}"
            )


async def find_foreigner(pid: int, port: int) -> SetupError | None:
    """Return an error that names the process on a port, unless it is the application.

    Without this, another server's responses would be taken for the application's.
    """
    if port in await trio.to_thread.run_sync(_listening_ports, pid):
        return None
    # An application that has just ended, or gone to the background, is reported as what
    # it is: the adapter ends with it, and that cancels this.
    await trio.sleep(EXIT)
    owner = await trio.to_thread.run_sync(processes.owner, port)
    return SetupError(
        f"what listens on port {port} is {owner or 'another program'}, and not the"
        " application: choose another port with --app-port"
    )


def _listening_ports(pid: int) -> set[int]:
    return processes.listening(processes.tree(pid))


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

"""Run a function behind a gateway, from start to end."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio
from starlette.types import ASGIApp

from lambda_adapter.local.environment import EndedError
from lambda_adapter.local.function import Function
from lambda_adapter.local.gateway_app import GatewayApp
from lambda_adapter.local.gateways.gateway import Gateway
from lambda_adapter.local.guard import Guard
from lambda_adapter.local.http_server import serve
from lambda_adapter.local.inspector import Page
from lambda_adapter.local.options import Options
from lambda_adapter.local.page_token import page_token
from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.processes import owner
from lambda_adapter.local.report import Report


class Session:
    """A function behind a gateway."""

    def __init__(self, function: Function, url: str, page_url: str) -> None:
        self.function = function
        self.page_url = page_url
        self.url = url
        """Such as http://127.0.0.1:9000."""

    async def start(self) -> None:
        """Start the first environment.

        Raises:
            SetupError: it can't be started; the message has the reason.
        """
        await self._try(self.function.start)

    async def restart(self) -> None:
        """End every environment, and start the first one again.

        Raises:
            SetupError: it can't be started; the message has the reason.
        """
        await self._try(self.function.restart)

    async def _try(self, start: Callable[[], Awaitable[None]]) -> None:
        try:
            await start()
        except EndedError as error:
            raise error.problem or SetupError(str(error)) from error


def listen(port: int) -> socket.socket:
    """Listen on a port of the loopback interface, and on no other interface.

    Raises:
        SetupError: the port is in use.
    """
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        who = owner(port)
        by = f" by {who}" if who else ""
        message = f"port {port} is in use{by}: choose another one with --port"
        raise SetupError(message) from error


@asynccontextmanager
async def open_session(
    options: Options, report: Report, front: socket.socket
) -> AsyncIterator[Session]:
    """Serve a function behind a gateway; leaving ends all of its processes.

    ``front`` is the listening socket, which is closed at the end.
    """
    # A SetupError of the caller is raised after the nursery, which would put it into a
    # group: it is one line for the user.
    problem: SetupError | None = None
    host, port = front.getsockname()
    function = Function(options, report)
    async with trio.open_nursery() as nursery:
        await nursery.start(function.run)
        page = Page(function, port, token=page_token(options.port))
        guard = Guard(options.allowed_hosts)
        gateway = options.open_gateway()
        nursery.start_soon(serve_gateway, function, gateway, page, front, guard)
        url = f"http://{host}:{port}"
        try:
            yield Session(function, url, url + page.path)
        except SetupError as error:
            problem = error
        nursery.cancel_scope.cancel()
    if problem:
        raise problem


async def serve_gateway(
    function: Function,
    gateway: Gateway,
    page: ASGIApp,
    front: socket.socket,
    guard: Guard,
) -> None:
    """Serve a gateway in front of a function until cancelled, then close ``front``."""
    app = GatewayApp(function, gateway, page, guard)
    listener = trio.SocketListener(trio.socket.from_stdlib_socket(front))
    with front:
        await serve(app, listener, app.note_refused_connection)

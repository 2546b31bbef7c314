"""Run a MicroVM with its endpoint, from start to end."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from lambda_adapter.local.guard import Guard
from lambda_adapter.local.http_server import handler
from lambda_adapter.local.inspector import Page
from lambda_adapter.local.microvm.commands import read_commands
from lambda_adapter.local.microvm.endpoint import Endpoint, closing
from lambda_adapter.local.microvm.machine import MicroVM
from lambda_adapter.local.options import Options
from lambda_adapter.local.page_token import page_token
from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.report import Report


class MicroVMSession:
    """A MicroVM behind its endpoint."""

    def __init__(self, microvm: MicroVM, url: str, page_url: str) -> None:
        self.microvm = microvm
        self.page_url = page_url
        self.url = url
        """Such as http://127.0.0.1:9000."""

    async def live(self, report: Report) -> None:
        """Build, run and execute typed commands, until the MicroVM has ended.

        Raises:
            SetupError: it can't be built or run, or has ended by itself.
        """
        await self.microvm.start()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read_commands, self.microvm, report)
            await self.microvm.ended.wait()
            nursery.cancel_scope.cancel()
        if self.microvm.problem:
            raise self.microvm.problem


@asynccontextmanager
async def open_microvm(
    options: Options, report: Report, front: socket.socket
) -> AsyncIterator[MicroVMSession]:
    """Serve a MicroVM that is not started yet; leaving terminates it.

    ``front`` is the listening socket, which is closed at the end. A SetupError raised
    within is not put into a group.
    """
    problem: SetupError | None = None
    host, port = front.getsockname()
    microvm = MicroVM(options, report)
    page = Page(microvm.rows, port, token=page_token(options.port))

    def note_refusal(status: int, why: str) -> None:
        report.notice(f"{status}  {why}")

    serve_page = handler(closing(page), note_refusal)
    endpoint = Endpoint(microvm, serve_page, page.path, Guard(options.allowed_hosts))
    listener = trio.SocketListener(trio.socket.from_stdlib_socket(front))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(microvm.run)
        nursery.start_soon(trio.serve_listeners, endpoint.handle, [listener])
        url = f"http://{host}:{port}"
        try:
            yield MicroVMSession(microvm, url, url + page.path)
        except SetupError as error:
            problem = error
        await microvm.close()
        nursery.cancel_scope.cancel()
    if problem:
        raise problem

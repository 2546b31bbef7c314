"""The interfaces of an application, its transports and its middleware."""

import time
from typing import Protocol

import msgspec
import trio

from lambda_adapter.errors import DeadlineError, EventError
from lambda_adapter.events.event import MAX_REPLY, Event
from lambda_adapter.events.http_event import HttpEvent
from lambda_adapter.events.pass_through import PassThroughEvent
from lambda_adapter.http.messages import Request, Response, name_request
from lambda_adapter.runtime.api import Invocation

LONGEST = 900.0
"""Longest possible invocation in seconds, whatever its deadline says:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"""

LATE = "the application's response was not complete"


class Call(msgspec.Struct, gc=False):
    """One invocation in progress, with the deadline and limits of its response."""

    invocation: Invocation
    deadline: float
    """The application's deadline, on trio's clock."""
    kind: type[Event] = PassThroughEvent
    """The kind of the event, once that is known."""
    event: Event | None = None
    """The event, once it is decoded."""
    streamed: bool = False
    """Whether the response's body may be streamed."""
    max_body: int = MAX_REPLY
    """Limit in bytes for a body that is not streamed."""
    request: Request | None = None
    """The request that was made of the event, once it is known."""
    started: float = 0.0
    """When the invocation arrived, on trio's clock."""

    @property
    def subject(self) -> str:
        """``METHOD PATH`` of the request, for the log lines about failures.

        If no request could be made, they are the event's own method and path. An event
        without these is named by its size.
        """
        if self.request:
            return name_request(self.request.method.decode(), self.request.target)
        if isinstance(self.event, HttpEvent):
            try:
                parts = self.event.parts()
            except EventError:
                pass
            else:
                return name_request(parts.method, parts.target)
        return f"an event of {len(self.invocation.payload):,} bytes"

    def late(self, what: str = LATE) -> DeadlineError:
        """Return the error for a response that missed its deadline just now."""
        message = f"{what} after {trio.current_time() - self.started:.2f} s"
        left = self.left()
        if 0 < left < LONGEST:
            message += f", {left:.2f} s before Lambda's deadline"
        return DeadlineError(message)

    def left(self) -> float:
        """Return the number of seconds to Lambda's deadline, negative after it.

        If that is implausible, an invocation may take as long as any.
        """
        left = self.invocation.deadline_ms / 1000 - time.time()
        return left if abs(left) < LONGEST else LONGEST

    def sent_again(self) -> None:
        """Do nothing; called when the request has been retried."""
        # ``MetricsCall`` counts here. A flag to ask would cost every invocation.


class Transport(Protocol):
    """An invoke loop's way to an application: it sends a request, then finishes it."""

    async def send(self, request: Request, call: Call) -> Response:
        """Send a request; return the response, with a whole body unless it is streamed.

        Raises:
            InvocationError: there is no response. A streamed body may also raise it.
        """

    async def finish(self, deadline: float) -> None:
        """Complete the remaining work after the reply, before the deadline.

        Lambda freezes whatever still runs when the next event is requested.
        """


class App(Protocol):
    """An application, from its start to its exit."""

    @property
    def extension_name(self) -> str:
        """The name to register with Lambda's Extensions API."""

    async def run(self, ready: trio.Event, exited: trio.Event) -> None:
        """Run the application, and set ``ready`` once Lambda's init may end.

        If a child exits while it is serving, ``exited`` is set immediately; the error
        is raised when the invocations in progress have had time to fail.

        Raises:
            InitError: the application did not become ready.
            FatalError: the application exited while it was serving.
        """

    def open_transport(self) -> Transport:
        """Return a transport for one invoke loop."""

    async def suspend(self) -> None:
        """Prepare for a snapshot.

        Raises:
            BeforeCheckpointError: the application's hook failed.
        """

    async def resume(self) -> None:
        """Continue after a snapshot was restored.

        Raises:
            AfterRestoreError: the application can't continue.
        """


class Middleware:
    """A transport that wraps another one, to apply a setting."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def send(self, request: Request, call: Call) -> Response:
        """Send the request unchanged."""
        return await self._transport.send(request, call)

    async def finish(self, deadline: float) -> None:
        """Finish the wrapped transport."""
        await self._transport.finish(deadline)

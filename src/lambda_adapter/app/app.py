"""What the adapter serves: an application's life, and transports at it."""

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
"""Seconds that an invocation can last, whatever its deadline says:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"""

LATE = "the application's response was not complete"


class Call(msgspec.Struct, gc=False):
    """One invocation under way at an application, and what bounds the response."""

    invocation: Invocation
    deadline: float
    """When to give the application up, by trio's clock."""
    kind: type[Event] = PassThroughEvent
    """The event's, once that is known."""
    event: Event | None = None
    """The event, once it is decoded."""
    streamed: bool = False
    """Whether the response's body may come piece by piece."""
    max_body: int = MAX_REPLY
    """Bytes of a body that is not streamed."""
    request: Request | None = None
    """What the event became, once that is known."""
    started: float = 0.0
    """When the invocation came, by trio's clock."""

    @property
    def subject(self) -> str:
        """``METHOD PATH`` of the request, which begins the line of each failure.

        An event that made no request is named by its own method and path, or by its
        size where it has none.
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
        """Return the error of an application that is given up now."""
        message = f"{what} after {trio.current_time() - self.started:.2f} s"
        left = self.invocation.deadline_ms / 1000 - time.time()
        if 0 < left < LONGEST:
            message += f", {left:.2f} s before Lambda's deadline"
        return DeadlineError(message)

    def sent_again(self) -> None:
        """Hear that the request was sent once more."""


class Transport(Protocol):
    """One invoke loop's place at an application: a request, then what is left of it."""

    async def send(self, request: Request, call: Call) -> Response:
        """Return the application's response, its body whole unless it is streamed.

        Raises:
            InvocationError: there is none. A streamed body may raise it as well.
        """

    async def finish(self, deadline: float) -> None:
        """Do what is left to be done after the reply, until trio's clock says this.

        Lambda freezes whatever is still going on when the next event is asked for.
        """


class App(Protocol):
    """An application, from its start to its end."""

    @property
    def extension_name(self) -> str:
        """The name to register with Lambda's Extensions API."""

    async def run(self, ready: trio.Event) -> None:
        """Run the application, and set ``ready`` once Lambda's init may end.

        Raises:
            InitError: it did not get ready.
            FatalError: it ended while it was serving.
        """

    def open_transport(self) -> Transport:
        """Return a transport for one invoke loop."""

    async def suspend(self) -> None:
        """Prepare for a snapshot.

        Raises:
            BeforeCheckpointError: the application is not fit for one.
        """

    async def resume(self) -> None:
        """Go on after a snapshot was restored.

        Raises:
            AfterRestoreError: the application is not fit to go on.
        """


class Middleware:
    """What a setting adds around a transport, to each request or response."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def send(self, request: Request, call: Call) -> Response:
        """Send as the transport within does."""
        return await self._transport.send(request, call)

    async def finish(self, deadline: float) -> None:
        """Finish as the transport within does."""
        await self._transport.finish(deadline)

"""What the adapter serves: an application's life, and seats at it."""

from typing import Protocol

import msgspec
import trio

from lambda_adapter.events.event import MAX_REPLY, Event
from lambda_adapter.events.pass_through import PassThroughEvent
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.runtime.api import Invocation

LATE = "the application's response was not complete before Lambda's deadline"


class Turn(msgspec.Struct, gc=False):
    """One invocation's turn at an application, and what bounds the response."""

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

    def sent_again(self) -> None:
        """Hear that the request was sent once more."""


class Seat(Protocol):
    """One invoke loop's place at an application: a request, then what is left of it."""

    async def send(self, request: Request, turn: Turn) -> Response:
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

    def open_seat(self) -> Seat:
        """Return a seat for one invoke loop."""

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


class Around:
    """A seat around another one: what a setting adds to each request or response."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    async def send(self, request: Request, turn: Turn) -> Response:
        """Send as the seat within does."""
        return await self._seat.send(request, turn)

    async def finish(self, deadline: float) -> None:
        """Finish as the seat within does."""
        await self._seat.finish(deadline)

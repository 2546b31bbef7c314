"""The body of a streamed response, and its connection until that is closed. Shell."""

import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Self

import trio

from lambda_adapter.errors import InvocationError
from lambda_adapter.http.peer_error import PeerError


class StreamedBody:
    """The body of a streamed response, and its connection until that is closed.

    ``fail`` makes the error to raise of one that the pieces raise, and ``end`` lets go
    of the connection.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        fail: Callable[[Exception], InvocationError],
        end: Callable[[], None],
    ) -> None:
        self._pieces = pieces
        self._fail = fail
        self._end = end

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece.

        Raises:
            InvocationError: the body broke off.
        """
        with contextlib.ExitStack() as stack:
            stack.callback(self._finish)  # unless there is a piece, it was the last
            try:
                piece = await anext(self._pieces)
            except (PeerError, trio.TooSlowError) as error:
                raise self._fail(error) from error
            stack.pop_all()
            return piece

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._pieces.aclose()
        self._finish()

    def _finish(self) -> None:
        end, self._end = self._end, lambda: None
        end()

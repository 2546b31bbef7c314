"""SnapStart's hooks where the application is in this process. Shell."""

import math

import trio

from lambda_adapter.apps import hooks
from lambda_adapter.apps.app import Seat, Turn
from lambda_adapter.config import Config
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.runtime.api import Invocation

LAST_WORK = 1.0
"""Seconds for what a hook does after its response."""


async def suspend(config: Config, seat: Seat) -> None:
    """Prepare the application for a snapshot.

    Raises:
        BeforeCheckpointError: the application is not fit for a snapshot.
    """
    await hooks.announce_snapshot(config, _through(seat))


async def resume(config: Config, seat: Seat) -> None:
    """Tell the application that it was restored.

    Raises:
        AfterRestoreError: the application is not fit to go on.
    """
    await hooks.announce_restore(config, _through(seat))


def _through(seat: Seat) -> hooks.Post:
    async def post(request: Request) -> Response:
        turn = Turn(Invocation("snapstart", b"null"), math.inf)
        try:
            return await seat.send(request, turn)
        finally:
            with trio.CancelScope(shield=True):
                await seat.finish(trio.current_time() + LAST_WORK)

    return post

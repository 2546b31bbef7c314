"""The invoke loops: as many as Lambda wants invocations at once. Shell."""

import functools
from collections.abc import Callable, Sequence

import msgspec
import trio

from lambda_adapter.apps.app import App
from lambda_adapter.apps.seats import Seats, with_settings
from lambda_adapter.config import Config
from lambda_adapter.errors import AppStuckError
from lambda_adapter.runtime.client import RuntimeClient
from lambda_adapter.runtime.context import encode_env_config
from lambda_adapter.serve.invoke_loop import InvokeLoop

OpenLoop = Callable[[RuntimeClient, Seats, msgspec.Raw, Config], InvokeLoop]


def open_loops(config: Config, app: App) -> list[InvokeLoop]:
    """Return the loops, each with a seat and a connection of its own."""
    open_loop: OpenLoop = InvokeLoop
    if config.metrics == "emf":
        from lambda_adapter.serve.metered_loop import MeteredLoop

        open_loop = functools.partial(MeteredLoop, cold=iter((1,)))
    env_config = encode_env_config(config)
    return [
        open_loop(
            open_runtime(config),
            with_settings(app.open_seat(), config),
            env_config,
            config,
        )
        for _ in range(config.max_concurrency)
    ]


async def run_loops(loops: Sequence[InvokeLoop]) -> None:
    """Run the loops, until cancelled or until one of them can't go on.

    Where an application goes on with a request that was given up, no further event is
    taken, and the other loops finish theirs, which have deadlines. Only then does the
    environment end, so that it costs no other request.

    Raises:
        FatalError: there is nothing left to serve. Alone, or in a group.
    """
    stuck: list[AppStuckError] = []

    async def run(loop: InvokeLoop) -> None:
        try:
            await loop.run()
        except AppStuckError as error:
            stuck.append(error)
            for each in loops:
                each.stop()

    async with trio.open_nursery() as nursery:
        for loop in loops:
            nursery.start_soon(run, loop)
    raise stuck[0]


def open_runtime(config: Config) -> RuntimeClient:
    """Return a client of the Runtime API, or of the proxy that stands in for it."""
    address = config.runtime_api_proxy or config.runtime_api
    is_alone = config.max_concurrency == 1 and not config.asgi_app
    return RuntimeClient(*address, waits_in_kernel=is_alone)

"""An adapter with both its ends in a thread, for plain tests to talk to.

A process for each of a thousand cases would take minutes, so all of a file go through
one. That it still serves after each of them is a part of what they show.
"""

import re
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, ParamSpec, TypedDict, TypeVar, Unpack

import trio
import trio.testing

from tests.adapter import Adapter, open_adapter
from tests.fake_runtime_api import FakeRuntimeApi, Posted
from tests.scripted_app import open_server

Serve = Callable[[trio.SocketStream], Awaitable[object]]
P = ParamSpec("P")
T = TypeVar("T")

START_LIMIT = 20
"""Seconds for all to be there; only there to end a test that hangs."""


class World:
    """One adapter, a Runtime API before it and an application behind it."""

    def __init__(self, runtime: FakeRuntimeApi, adapter: Adapter) -> None:
        self.runtime = runtime
        self.adapter = adapter
        self.token = trio.lowlevel.current_trio_token()
        self.end = trio.Event()
        self.has_lost_a_post = False
        """Whether the application has closed a kept connection instead of answering."""

    @property
    def pid(self) -> int:
        return self.adapter.process.pid

    @property
    def lives(self) -> bool:
        """Whether the adapter runs. It is reaped by the thread, so this is safe."""
        return self.adapter.process.poll() is None

    def run(
        self, do: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run something in the thread, and return what it returns."""
        call = partial(do, *args, **kwargs)
        return trio.from_thread.run(call, trio_token=self.token)

    def invoke(self, payload: object, **fields: str) -> Posted:
        """Send an event, and return its reply."""
        return self.run(self.runtime.invoke, payload, **fields)

    def invoke_within(self, seconds: float, payload: object) -> Posted:
        """Send an event whose deadline is near, and return its reply."""
        deadline = str(int((time.time() + seconds) * 1000))
        return self.invoke(payload, lambda_runtime_deadline_ms=deadline)

    def lines_about(self, request_id: str) -> list[str]:
        """Return what the log says of an invocation, all that is said being read."""
        self.run(trio.testing.wait_all_tasks_blocked, 0.002)
        return re.findall(rf"(.*) RequestId: {request_id}\n", self.adapter.log)

    def answers(self, request_id: str) -> list[Posted]:
        """Return all that was posted for an invocation."""
        part = f"/{request_id}/"
        return [each for each in list(self.runtime.posted) if part in each.target]


def request_id(posted: Posted) -> str:
    """Return the id of the invocation that this replies to."""
    return posted.target.split("/")[-2]


class Settings(TypedDict, total=False):
    """What a world's adapter may be told."""

    AWS_LAMBDA_MAX_CONCURRENCY: str
    AWS_LWA_INVOKE_MODE: str
    AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS: str
    AWS_LWA_READINESS_CHECK_PROTOCOL: str


@contextmanager
def open_world(
    serve: Serve, runtime: FakeRuntimeApi | None = None, **settings: Unpack[Settings]
) -> Iterator[World]:
    """Start an adapter in front of ``serve``, attached to it."""
    started: Future[World] = Future()
    run = partial(_run, serve, runtime or FakeRuntimeApi(0), settings, started)
    with ThreadPoolExecutor(1) as thread:
        ran = thread.submit(trio.run, run)
        both: list[Future[Any]] = [started, ran]
        wait(both, START_LIMIT, FIRST_COMPLETED)
        if started.done():
            world = started.result()
            try:
                yield world
            finally:
                with suppress(trio.RunFinishedError):
                    trio.from_thread.run_sync(world.end.set, trio_token=world.token)
    ran.result()


async def _run(
    serve: Serve,
    runtime: FakeRuntimeApi,
    settings: Settings,
    started: Future[World],
) -> None:
    runtime.max_polls = int(settings.get("AWS_LAMBDA_MAX_CONCURRENCY", "1"))
    async with open_server(runtime.serve) as runtime.port, open_server(serve) as port:
        runtime.address = f"127.0.0.1:{runtime.port}"
        async with open_adapter(runtime.address, [], port=port, **settings) as adapter:
            world = World(runtime, adapter)
            started.set_result(world)
            await world.end.wait()

"""Adapter and application are stopped between two invocations, as Lambda freezes them.

The law: what happened to a connection meanwhile costs no invocation, and asks nothing
of the application twice.
"""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.adapter import Adapter, open_adapter
from tests.catalogue import KINDS
from tests.fake_runtime_api import NEXT, FakeRuntimeApi
from tests.torture.kinds import Told, told

APP = [sys.executable, str(Path(__file__).parent / "freeze_app.py")]

ASKS = [
    ("http_api", "GET"),
    ("http_api", "POST"),
    ("function_url", "POST"),
    ("direct", ""),
]

IDLE = 0.1
"""Seconds after which the application closes a connection by itself, where it does."""

ROUNDS = 100

any_ask = pytest.mark.cases("kind, method", ASKS, len(ASKS))


@asynccontextmanager
async def open_frozen(
    runtime: FakeRuntimeApi, idle: float = 60
) -> AsyncIterator[Adapter]:
    async with open_adapter(
        runtime.address, APP, AWS_LWA_INVOKE_MODE="response_stream", IDLE=str(idle)
    ) as adapter:
        await adapter.wait_log("the application is ready")
        try:
            yield adapter
        finally:
            go_on(adapter.process.pid, adapter.child())


async def stop(adapter: Adapter) -> None:
    """Stop both, and wait until they are."""
    for pid in (adapter.process.pid, adapter.child()):
        os.kill(pid, signal.SIGSTOP)
    await trio.testing.wait_all_tasks_blocked(2 * IDLE)


def go_on(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


async def ask(runtime: FakeRuntimeApi, kind: str, method: str) -> Told:
    event = KINDS[kind](method, "/", "")
    return told(await runtime.invoke(event), kind)


def said(answer: Told) -> tuple[int, int]:
    """Return the numbers of the request and of its connection."""
    assert answer.status == 200
    document = json.loads(answer.content)
    return document["request"], document["connection"]


def count_nexts(runtime: FakeRuntimeApi) -> int:
    return len([each for each in runtime.posted if each.target == NEXT])


async def close_idle(adapter: Adapter) -> None:
    """Have the application close what is idle, while the adapter is still stopped."""
    go_on(adapter.child())
    with trio.fail_after(20):
        async with await trio.open_tcp_stream("127.0.0.1", adapter.port) as stream:
            await stream.send_all(b"CLOSE\r\n\r\n")
            assert await stream.receive_some() == b"closed"


@any_ask
async def test_nothing_happened(runtime, kind, method):
    """A connection that outlasts a freeze is used again."""
    async with open_frozen(runtime) as adapter:
        first = said(await ask(runtime, kind, method))
        await stop(adapter)
        go_on(adapter.process.pid, adapter.child())
        second = said(await ask(runtime, kind, method))

    assert (first[0], second[0]) == (1, 2)
    assert first[1] == second[1]


@pytest.mark.cases(
    "when, kind, method",
    [(when, *ask) for when in ("before", "after") for ask in ASKS],
    3,
)
async def test_connection_closed_meanwhile(runtime, when, kind, method):
    """A connection that the application closed is replaced, before it is used.

    So it is whether the next event has come before the adapter goes on or comes then.
    """
    answers: list[Told] = []

    async def ask_next() -> None:
        answers.append(await ask(runtime, kind, method))

    async with open_frozen(runtime) as adapter, trio.open_nursery() as nursery:
        first = said(await ask(runtime, kind, method))
        await stop(adapter)
        if when == "before":
            nursery.start_soon(ask_next)
        await close_idle(adapter)
        go_on(adapter.process.pid)
        if when == "after":
            nursery.start_soon(ask_next)
        await runtime.wait(lambda: bool(answers))

    second = said(answers[0])
    assert (first[0], second[0]) == (1, 2)
    assert first[1] != second[1]
    assert "ERROR" not in adapter.log


@any_ask
async def test_lambda_hung_up_meanwhile(runtime, kind, method):
    """A ``/next`` whose connection Lambda closed is requested again."""
    async with open_frozen(runtime) as adapter:
        await runtime.wait(lambda: runtime.polls == 1)
        runtime.held[NEXT] = trio.Event()
        runtime.scripted[NEXT].append(b"")
        await ask(runtime, kind, method)
        await runtime.wait(lambda: count_nexts(runtime) == 2)
        await stop(adapter)
        runtime.held[NEXT].set()
        await runtime.wait(lambda: bool(runtime.closed))
        go_on(adapter.process.pid, adapter.child())
        second = said(await ask(runtime, kind, method))

    assert second[0] == 2
    assert "ERROR" not in adapter.log


@pytest.mark.parametrize(("kind", "method"), ASKS[:2])
async def test_both_wake_up_at_once(long, runtime, kind, method):
    """A request whose connection closes as it is used is repeated if that is safe.

    What can't be has one reply all the same, by an error if the race was lost.
    """
    lost = 0
    async with open_frozen(runtime, IDLE) as adapter:
        for _ in range(ROUNDS if long else 3):
            said(await ask(runtime, "http_api", "GET"))
            await stop(adapter)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask, runtime, kind, method)
                await trio.testing.wait_all_tasks_blocked()
                go_on(adapter.child(), adapter.process.pid)
        await trio.testing.wait_all_tasks_blocked()  # until all of the log is read
        assert adapter.process.poll() is None

    answers = [each for each in runtime.posted if each.kind == "response"]
    for each in answers:
        answer = told(each, kind)
        if method == "GET":
            said(answer)
        lost += answer.status != 200
    targets = [each.target for each in answers]
    assert len(targets) == len(set(targets)) == 2 * (ROUNDS if long else 3)
    assert adapter.log.count("ERROR") == lost

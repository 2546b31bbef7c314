"""The examples without images: real servers behind the zipapp, under the emulator.

They need Node.js, Maven with a JDK, nginx, Go, and PHP. Where one of these is missing,
its test is left out, and pytest says so; with CI set, that is a failure.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import SHIV_ROOT
from tests.e2e.examples import (
    Command,
    django,
    expressjs,
    fastapi,
    flask,
    go,
    nginx,
    php,
    springboot,
)
from tests.emulator import BOOTSTRAP, Emulator, open_emulator
from tests.images import events
from tests.ports import free_ports


@asynccontextmanager
async def open_application(
    application: Callable[[int, Path], Command], directory: Path
) -> AsyncIterator[Emulator]:
    """Serve an application behind the zipapp under the emulator."""
    (port,) = free_ports(1)
    command, cwd, env = application(port, directory)
    async with open_emulator(
        [BOOTSTRAP, *command],
        cwd=cwd,
        env={"PORT": str(port), "HOME": str(Path.home()), **SHIV_ROOT, **env},
        log_path=directory / "log",
    ) as emulator:
        yield emulator


@pytest.mark.parametrize(
    "application", [django, fastapi, expressjs, springboot, nginx, go, php]
)
async def test_every_kind_of_event_reaches_it(
    tmp_path: Path, application: Callable[[int, Path], Command]
):
    """Method, target, Host, cookies and body arrive, and the response returns."""
    async with open_application(application, tmp_path) as emulator:
        for make in events.SENT.values():
            sent = make()
            reply = await emulator.invoke(json.dumps(sent.event).encode())
            events.check_echo(sent, json.loads(reply))
        hello = json.loads(await emulator.invoke(json.dumps(events.get("/")).encode()))

    assert hello["statusCode"] == 200
    assert b"Hello from " in events.body_of(hello)


@pytest.mark.parametrize(
    "application", [flask, django, fastapi, expressjs, springboot, go, php]
)
async def test_only_events_reach_the_handler_for_events(
    tmp_path: Path, application: Callable[[int, Path], Command]
):
    """An event reaches the handler for events; a client's POST to it is refused."""
    event = {"Records": [{"eventSource": "aws:sqs", "body": "a"}]}
    client = events.http_api().event | {
        "rawPath": "/events",
        "headers": {
            "host": events.HOST,
            "content-type": "application/json",
            "x-amzn-request-context": "null",
        },
        "body": json.dumps(event),
    }

    async with open_application(application, tmp_path) as emulator:
        received = json.loads(await emulator.invoke(json.dumps(event).encode()))
        refused = json.loads(await emulator.invoke(json.dumps(client).encode()))

    assert received == {"received": event}
    assert refused["statusCode"] == 403

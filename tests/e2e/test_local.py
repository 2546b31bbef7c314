"""The local Lambda beside AWS's emulator: the same events, the same application."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lambda_adapter.local.testing import open_app
from tests.e2e.conftest import SHIV_ROOT
from tests.e2e.events import EVENTS, with_path
from tests.emulator import BOOTSTRAP, PROJECT, Emulator, open_emulator
from tests.ports import free_ports

pytestmark = pytest.mark.e2e

APP = [sys.executable, str(PROJECT / "tests/programs/desk.py")]
PATHS = ("/bytes", "/cookies", "/status/404", "/large/7000000")
FAILING = b'{"this": "has to fail"}'


@pytest.fixture
async def emulator(tmp_path: Path) -> AsyncIterator[Emulator]:
    """The application under AWS's emulator."""
    (port,) = free_ports(1)
    async with open_emulator(
        [BOOTSTRAP, *APP],
        env={"PORT": str(port), **SHIV_ROOT},
        log_path=tmp_path / "log",
    ) as emulator:
        yield emulator


def payloads() -> list[bytes]:
    """Return events of every kind, for each path there is if they are HTTP."""
    others = [path.read_bytes() for path in EVENTS if not with_path(path, "/")]
    http = [with_path(event, path) for event in EVENTS for path in PATHS]
    return [*others, *filter(None, http), FAILING]


async def test_replies_are_those_of_the_emulator(emulator: Emulator):
    """A reply or an error is the same from the local Lambda and from AWS's emulator."""
    expected = [comparable(await emulator.invoke(event)) for event in payloads()]

    with open_app(APP) as app:
        invoke = "/2015-03-31/functions/function/invocations"
        found = [
            comparable(app.post(invoke, content=event).content) for event in payloads()
        ]

    assert found == expected


def comparable(reply: bytes) -> object:
    """Return a reply without what differs each time."""
    document = json.loads(reply)
    if isinstance(document, dict):
        document.pop("stackTrace", None)
        for key in ("headers", "multiValueHeaders"):
            for name in ("Date", "date"):
                (document.get(key) or {}).pop(name, None)
        if '"requestId"' in str(document.get("body")):
            document["body"] = json.loads(document["body"])
            document["body"].pop("requestId")
            (document.get("headers") or {}).pop("content-length", None)
            (document.get("multiValueHeaders") or {}).pop("content-length", None)
    return document

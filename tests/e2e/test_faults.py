"""What goes wrong, as Lambda's caller sees it, and that the next invocation works."""

import base64
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.catalogue import http_api
from tests.e2e.conftest import SHIV_ROOT
from tests.emulator import BOOTSTRAP, PROJECT, Emulator, open_emulator
from tests.ports import free_ports

PUPPET = PROJECT / "tests/programs/puppet.py"


def event(target: str, content: bytes = b"", **changes: object) -> bytes:
    """Return an HTTP API event: a POST of a body to a target."""
    body = base64.b64encode(content).decode()
    document = http_api("POST", target, body, isBase64Encoded=True)
    return json.dumps(document | changes).encode()


FINE = event("/fine", b"fine")


@asynccontextmanager
async def open_puppet(
    tmp_path: Path, *command: str | Path, **env: str
) -> AsyncIterator[Emulator]:
    """Serve the puppet, or another command, behind the zipapp under the emulator."""
    (port,) = free_ports(1)
    command = command or (sys.executable, PUPPET, str(port))
    async with open_emulator(
        [BOOTSTRAP, *command],
        env={"PORT": str(port), **SHIV_ROOT, **env},
        log_path=tmp_path / "log",
    ) as emulator:
        yield emulator


async def assert_fine(emulator: Emulator) -> None:
    """Assert that an invocation works."""
    reply = json.loads(await emulator.invoke(FINE))
    assert (reply["statusCode"], reply["body"]) == (200, "fine")


FAULTS = {
    "empty": b"",
    "garbage": b"\x00\x01 what is this\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "truncated": b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
    "truncated chunk": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel"
    ),
    "protocol switch": (
        b"HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    ),
}


async def test_a_broken_answer_costs_one_invocation(tmp_path: Path):
    """Any broken response becomes a 502, and the process continues."""
    async with open_puppet(tmp_path) as emulator:
        for name, answer in FAULTS.items():
            reply = json.loads(await emulator.invoke(event("/say", answer)))

            told = json.loads(reply["body"])
            assert (reply["statusCode"], told["errorType"]) == (
                502,
                "Runtime.AppRequestError",
            ), name
            assert f"RequestId: {told['requestId']}" in emulator.log()
            await assert_fine(emulator)

        assert emulator.log().count("the application is ready") == 1


BAD_EVENTS: dict[str, dict[str, Any]] = {
    "no base64": {"body": "%%%"},
    "line break in a field": {"headers": {"x-a": "1\r\nx-b: 2"}},
    "odd host": {"headers": {"host": "a b"}},
    "body that is no string": {"body": {"a": 1}},
    "no method": {"requestContext": {"http": {}}},
}


async def test_a_bad_http_event_is_answered_with_400(tmp_path: Path):
    """A bad HTTP event never reaches the application, and the next one works."""
    async with open_puppet(tmp_path) as emulator:
        for name, changes in BAD_EVENTS.items():
            reply = json.loads(await emulator.invoke(event("/seen", **changes)))

            told = json.loads(reply["body"])
            assert (reply["statusCode"], told["errorType"]) == (
                400,
                "Runtime.EventError",
            ), name
            await assert_fine(emulator)


async def test_an_event_of_any_json_is_posted(tmp_path: Path):
    """An event may be null, a list or empty: the application gets its bytes."""
    async with open_puppet(tmp_path) as emulator:
        for payload in (b"null", b"[]", b"", b"42", b'"text"', b" {} "):
            reply = await emulator.invoke(payload)

            assert reply == (payload or b"null")
            await assert_fine(emulator)


async def test_what_is_no_json_or_too_deep_fails_its_invocation(tmp_path: Path):
    """An event that can't be classified is an invocation error."""
    async with open_puppet(tmp_path) as emulator:
        for payload in (b"{", b"[" * 1_000_000 + b"]" * 1_000_000, b"\xff"):
            report = json.loads(await emulator.invoke(payload))

            assert report["errorType"] == "Runtime.EventError"
            await assert_fine(emulator)


async def test_a_deep_event_costs_at_most_its_invocation(tmp_path: Path):
    """An event that is nested too deeply for Python fails, and the next one works."""
    deep = b"[" * 5000 + b"]" * 5000
    async with open_puppet(tmp_path) as emulator:
        reply = await emulator.invoke(deep)

        assert reply == deep or json.loads(reply)["errorType"] == "Runtime.EventError"
        await assert_fine(emulator)


async def test_a_reply_that_lambda_would_refuse_is_a_502(tmp_path: Path):
    """A reply that Lambda would refuse is not posted: its client is sent 502."""
    async with open_puppet(tmp_path) as emulator:
        # As text in JSON, each of these bytes takes six.
        reply = json.loads(await emulator.invoke(event("/big", b"\0" * 1_050_000)))

        told = json.loads(reply["body"])
        assert (reply["statusCode"], told["errorType"]) == (
            502,
            "Runtime.ResponseTooLargeError",
        )
        await assert_fine(emulator)


async def test_a_command_that_is_missing_is_an_init_error(tmp_path: Path):
    """An init error names the missing command and the reason."""
    async with open_puppet(tmp_path, "no-such-command") as emulator:
        report = json.loads(await emulator.invoke(FINE))

    assert report["errorType"] == "Runtime.AppStartError"
    assert "'no-such-command' can't be started: No such file" in report["errorMessage"]


async def test_an_application_that_exits_at_once_is_an_init_error(tmp_path: Path):
    """An init error has the exit status of an application that exits immediately."""
    async with open_puppet(tmp_path, "sh", "-c", "exit 3") as emulator:
        report = json.loads(await emulator.invoke(FINE))

    assert report["errorType"] == "Runtime.AppNotReadyError"
    assert "exited with status 3 before it was ready" in report["errorMessage"]


async def test_after_a_killed_application_lambda_starts_anew(tmp_path: Path):
    """A killed application ends the adapter, so that Lambda makes a new environment."""
    async with open_puppet(tmp_path) as emulator:
        await assert_fine(emulator)

        await emulator.invoke(event("/kill"))

        await assert_fine(emulator)
        log = emulator.log()
    assert "the application was ended by SIGKILL" in log
    assert log.count("the application is ready") == 2


async def test_sigterm_reaches_the_application_once(tmp_path: Path):
    """An application gets one SIGTERM when Lambda ends the environment."""
    seen = tmp_path / "signals"
    async with open_puppet(tmp_path, PUPPET_LOG=str(seen)) as emulator:
        await assert_fine(emulator)

    assert seen.read_text() == "SIGTERM\n"

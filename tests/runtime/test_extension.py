"""``extension``: registered with Lambda, so that it sends SIGTERM."""

import logging

import pytest
import trio

from lambda_adapter.runtime.extension import REGISTER_LIMIT, Extension
from tests.fake_runtime_api import EVENT_NEXT, REGISTER, replied


@pytest.fixture
async def extension(runtime):
    """An extension that has the fake Runtime API for its Lambda."""
    extension = Extension("127.0.0.1", runtime.port)
    yield extension
    extension.close()


async def test_extension(runtime, extension, caplog):
    """An extension registers for no events, requests the next, and waits forever."""
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            registered = trio.Event()
            nursery.start_soon(extension.run, "a-name", registered)
            await registered.wait()
            await runtime.wait_posted(EVENT_NEXT)
            nursery.cancel_scope.cancel()

    register, event_next = runtime.posted
    assert (register.method, register.target) == ("POST", REGISTER)
    assert register.body == b'{"events":[]}'
    assert register.fields["lambda-extension-name"] == "a-name"
    assert (event_next.method, event_next.target) == ("GET", EVENT_NEXT)
    identifier = event_next.fields["lambda-extension-identifier"]
    assert runtime.extensions == {"a-name": identifier}
    assert caplog.records == []


async def test_extension_that_is_never_answered(clock, runtime, extension, caplog):
    """Init does not wait for a registration for more than 2 s."""
    runtime.scripted[REGISTER].append(b"HTTP/1.1 100 Continue\r\nx: {}")
    started = trio.current_time()

    await extension.run("a-name", trio.Event())

    assert trio.current_time() - started == pytest.approx(REGISTER_LIMIT, abs=1)
    assert "Lambda did not respond within 2 s" in caplog.text


@pytest.mark.parametrize(
    ("end", "answer"),
    [
        pytest.param(REGISTER, replied(403), id="forbidden"),
        pytest.param(REGISTER, replied(500), id="failing"),
        pytest.param(REGISTER, replied(200), id="no identifier"),
        pytest.param(REGISTER, b"", id="hung up"),
        pytest.param(REGISTER, b"220 smtp.example.com\r\n", id="garbage"),
        pytest.param(EVENT_NEXT, replied(403), id="no event to wait for"),
        pytest.param(EVENT_NEXT, replied(200), id="an event nobody asked for"),
    ],
)
async def test_extension_that_is_refused(runtime, extension, caplog, end, answer):
    """A refused registration is only a warning, with its consequence."""
    runtime.scripted[end].append(answer)

    registered = trio.Event()
    with trio.fail_after(5):
        await extension.run("a-name", registered)

    assert registered.is_set()
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert "Lambda will not send SIGTERM" in line.getMessage()
    assert "the extension a-name failed" in line.getMessage()

"""``command_events``: events that run a command beside the application."""

import json
import signal
import sys
import time

import pytest
import trio

from lambda_adapter.app.procfs import ENDED, list_processes
from tests.adapter import PUPPET, open_adapter
from tests.catalogue import SQS, http_api, load, web_socket
from tests.emulator import PROJECT
from tests.scripted_app import said
from tests.serve.invoke_loop.function import assert_failed, open_function

ON = {"AWS_LWA_COMMAND_EVENTS": "true"}


def event_of(*command):
    return {"lambda_adapter": {"command": list(command)}}


def python(code):
    return event_of(sys.executable, "-c", code)


def deadline(seconds):
    return str(int((time.time() + seconds) * 1000))


async def wait_gone(pid):
    """Wait until a process runs no more; nobody may be there to reap it."""
    with trio.fail_after(10):
        while any(
            each.pid == pid and each.state not in ENDED for each in list_processes()
        ):
            await trio.lowlevel.checkpoint()


async def run(runtime, event, **headers):
    """Invoke with an event beside an application that runs, and return the reply."""
    async with open_adapter(runtime.address, PUPPET, AWS_LWA_COMMAND_EVENTS="true"):
        posted = await runtime.invoke(event, **headers)
    assert posted.kind == "response"
    return posted.json()


async def test_command(runtime, capfd):
    """A command's status and output, of both streams, are in the reply."""
    event = event_of("sh", "-c", "echo out; echo error >&2; exit 3")

    reply = await run(runtime, event)

    assert reply == {
        "command": event["lambda_adapter"]["command"],
        "status": 3,
        "output": "out\nerror\n",
        "truncated": False,
        "timed_out": False,
    }


async def test_output_is_logged(runtime):
    """A command's output is in the log as well."""
    async with open_adapter(
        runtime.address, PUPPET, AWS_LWA_COMMAND_EVENTS="true"
    ) as adapter:
        await runtime.invoke(python("print('hello of the command')"))

        await adapter.wait_log("hello of the command")


OUTPUTS = {
    "long": ("print('x' * 3_000_000)", "x"),
    "no UTF-8": ("import os; os.write(1, b'\\xff\\xfe')", "\ufffd"),
    "controls": ("print('\\0' * 2_000_000)", "\0"),
    "none": ("", ""),
}


@pytest.mark.parametrize(("code", "text"), OUTPUTS.values(), ids=OUTPUTS)
async def test_outputs(runtime, code, text):
    """Any output makes a reply that Lambda accepts, with the last of it."""
    reply = await run(runtime, python(code))

    assert reply["status"] == 0
    assert reply["output"].startswith(text)
    assert len(reply["output"].encode()) <= 131_072
    assert reply["truncated"] is (len(code) > 20 and "000" in code)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["/no/such/program"], 127),
        (["no-such-program"], 127),
        (["/etc/passwd"], 126),
        (["sh", "-c", "kill -9 $$"], 137),
    ],
)
async def test_statuses(runtime, command, status):
    """A command that can't be started or is killed has the status of shells."""
    reply = await run(runtime, event_of(*command))

    assert reply["status"] == status


@pytest.mark.parametrize(
    "script", ["exec sleep 1000", "yes", "trap '' TERM; while :; do :; done"]
)
async def test_deadline(runtime, script):
    """A command ends before the invocation's deadline, and the next event is served."""
    async with open_adapter(runtime.address, PUPPET, AWS_LWA_COMMAND_EVENTS="true"):
        headers = {"lambda_runtime_deadline_ms": deadline(4)}
        posted = await runtime.invoke(event_of("sh", "-c", script), **headers)
        after = await runtime.invoke(http_api())

    assert posted.kind == "response"
    assert posted.json()["timed_out"] is True
    assert after.json()["statusCode"] == 200


async def test_what_a_command_leaves(runtime, tmp_path):
    """A process that a command leaves behind is ended, and the reply does not wait."""
    file = tmp_path / "pid"
    script = f"sleep 1000 & echo $! > {file}; echo done"

    reply = await run(runtime, event_of("sh", "-c", script))

    assert reply["output"] == "done\n"
    await wait_gone(int(file.read_text()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_the_adapters_end(runtime, tmp_path, number):
    """A command ends with the adapter, however that ends."""
    file = tmp_path / "pid"
    script = f"echo $$ > {file}; echo begun; exec sleep 1000"
    async with open_adapter(
        runtime.address, PUPPET, AWS_LWA_COMMAND_EVENTS="true"
    ) as adapter:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(runtime.invoke, event_of("sh", "-c", script))
            await adapter.wait_log("begun")
            adapter.process.send_signal(number)
            await adapter.wait()
            nursery.cancel_scope.cancel()

        await wait_gone(int(file.read_text()))


async def test_environment(runtime):
    """A command has the application's variables, without the adapter's settings."""
    reply = await run(runtime, event_of("env"))

    names = {line.partition("=")[0] for line in reply["output"].splitlines()}
    assert "AWS_LAMBDA_RUNTIME_API" in names
    assert "AWS_LWA_COMMAND_EVENTS" not in names


COMMAND = event_of("touch", "{file}")
TEXT = json.dumps(COMMAND)
CLIENTS = {
    "body": http_api("POST", "/events", body=TEXT),
    "batch": SQS | COMMAND,
    "websocket": web_socket(body=TEXT),
    "websocket's keys": web_socket(body=TEXT) | COMMAND,
    "http's keys": http_api("POST", "/events", body=TEXT) | COMMAND,
    "schedule": load("schedule") | COMMAND,
    "another key": COMMAND | {"other": 1},
    "another key inside": {"lambda_adapter": COMMAND["lambda_adapter"] | {"a": 1}},
    "a list": [COMMAND],
    "a text": TEXT,
    "nested": {"event": COMMAND},
    "another case": {"Lambda_Adapter": COMMAND["lambda_adapter"]},
    "no command": event_of(),
    "an empty word": event_of(""),
    "a NUL": event_of("a\0b"),
    "a shell's line": {"lambda_adapter": {"command": "touch {file}"}},
    "large": event_of("touch", "{file}", "x" * 70_000),
}


def with_file(event, file):
    return json.loads(json.dumps(event).replace("{file}", str(file)))


@pytest.mark.parametrize("event", CLIENTS.values(), ids=CLIENTS)
async def test_clients(runtime, event, tmp_path):
    """An event from a gateway, a queue or a schedule runs no command."""
    file = tmp_path / "file"
    async with open_function(runtime, ON) as function:
        await function.invoke(with_file(event, file), said(200, b"{}"))

        assert len(function.app.requests) == 1
    assert not file.exists()


async def test_off(runtime, tmp_path):
    """Unless the setting is on, such an event is an event like any other."""
    file = tmp_path / "file"
    async with open_function(runtime) as function:
        posted = await function.invoke(with_file(COMMAND, file), said(404))

        assert_failed(posted, "Runtime.AppRequestError")
    assert not file.exists()


@pytest.mark.parametrize(
    ("option", "program"), [("--asgi", "asgi_app:app"), ("--wsgi", "wsgi_app:app")]
)
async def test_in_process(runtime, option, program):
    """A command runs beside an application in the adapter's process as well."""
    programs = str(PROJECT / "tests" / "programs")
    command = ["--app-dir", programs, option, program]
    async with open_adapter(runtime.address, command, AWS_LWA_COMMAND_EVENTS="true"):
        posted = await runtime.invoke(event_of("sh", "-c", "echo $PPID"))

    assert posted.json()["status"] == 0

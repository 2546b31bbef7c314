"""A MicroVM that `local` plays: its life, in order and out of it."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from lambda_adapter.local.microvm.machine import WrongStateError
from lambda_adapter.local.microvm.testing import MicroVMApp
from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.processes import listening
from lambda_adapter.local.pytest_plugin import StartsMicroVMs
from tests.adapter import measured
from tests.emulator import PROJECT
from tests.local.microvm.conftest import Starts
from tests.local.terminal import open_terminal
from tests.microvm.lambda_side import UVICORN, wait_until
from tests.microvm.test_servers import command_of
from tests.ports import free_ports

BEFORE = "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH"
AFTER = "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH"
SUSPEND = "AWS_LWA_MICROVM_SUSPEND_PATH"
WARM = "AWS_LWA_WARM_PATHS"


def called(app: MicroVMApp) -> list[tuple[str, int]]:
    """Return the hooks and their statuses, the first one first."""
    return [
        (row.title, row.response.status if row.response else 0)
        for row in reversed(app.invocations)
    ]


def application(app: MicroVMApp) -> psutil.Process:
    """Return the process that listens where the application does."""
    port = int(app.get("/environ").json()["PORT"])
    everyone = psutil.Process().children(recursive=True)
    return next(each for each in everyone if port in listening([each]))


def seen(app: MicroVMApp) -> list[tuple[str, str]]:
    """Return the requests of the application, without readiness checks."""
    requests = app.get("/seen").json()
    return [
        (each["method"], each["path"])
        for each in requests
        if (each["method"], each["path"]) != ("GET", "/")
    ]


def test_a_whole_life(start: Starts):
    """A MicroVM is built, run, suspended, resumed and terminated, hook by hook."""
    paths = {BEFORE: "/before", AFTER: "/after", SUSPEND: "/asleep", WARM: "/warm"}
    app = start(**paths)

    assert (app.get("/page").status_code, app.state) == (204, "running")
    app.suspend()
    assert app.state == "suspended"
    app.resume()
    assert app.state == "running"
    assert seen(app) == [
        ("POST", "/before"),
        ("GET", "/warm"),
        ("POST", "/after"),
        ("GET", "/page"),
        ("POST", "/asleep"),
        ("POST", "/after"),
    ]
    app.terminate()
    assert app.state == "terminated"

    names = ["ready", "validate", "run", "suspend", "resume", "terminate"]
    assert called(app) == [(name, 200) for name in names]


def test_the_payload(start: Starts):
    """The application gets the payload and the id that the MicroVM is run with."""
    app = start("hé\nllo", **{AFTER: "/after"})

    (request,) = [each for each in app.get("/seen").json() if each["path"] == "/after"]

    assert json.loads(request["body"]) == {
        "microvmId": app.id,
        "runHookPayload": "hé\nllo",
    }
    assert json.loads(request["headers"]["x-microvm-payload"]) == "hé\nllo"


def test_a_suspended_microvm_is_stopped(start: Starts):
    """A suspended MicroVM's processes are stopped, and continue at a request."""
    app = start()
    process = application(app)

    app.suspend()
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED)
    assert app.get("/page").status_code == 204

    assert process.status() != psutil.STATUS_STOPPED
    assert called(app)[-2:] == [("suspend", 200), ("resume", 200)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({BEFORE: "/status/500"}, "ready: status 500: the image's build fails"),
        ({WARM: "/status/500"}, "validate: status 500: the image's build fails"),
        ({AFTER: "/status/500"}, "run: status 500: the MicroVM is terminated"),
    ],
)
def test_a_hook_that_fails(start: Starts, settings: dict[str, str], said: str):
    """A hook that fails while it is built or run ends the MicroVM, with the log."""
    with pytest.raises(SetupError, match=f"^{said}(.|\n)*returned status 500"):
        start(**settings)


def test_a_failure_of_suspend(start: Starts):
    """A hook that fails when the MicroVM is suspended is noted, and does not end it."""
    app = start(**{SUSPEND: "/status/500"})

    row = app.suspend()

    assert row.response
    assert (row.response.status, app.state) == (500, "suspended")
    assert "not documented" in row.note
    assert "what Lambda does then is not documented" in httpx.get(app.page_url).text


def test_a_failure_of_resume(start: Starts):
    """A request whose resume fails gets a 502, and the MicroVM has ended."""
    app = start(**{AFTER: "/once"})
    app.suspend()

    assert app.get("/page").status_code == 502

    assert called(app)[-1] == ("resume", 500)
    assert app.state == "terminated"
    assert app.get("/page").status_code == 502


def test_what_a_state_does_not_allow(start: Starts):
    """A MicroVM can be resumed only where it is suspended, and ended once."""
    app = start()

    with pytest.raises(WrongStateError, match="the MicroVM is running"):
        app.resume()
    app.suspend()
    with pytest.raises(WrongStateError, match="the MicroVM is suspended"):
        app.suspend()
    app.terminate()
    with pytest.raises(WrongStateError, match="the MicroVM is terminated"):
        app.terminate()


def test_an_application_that_ends(start: Starts):
    """An application that ends by itself ends the MicroVM."""
    app = start()

    application(app).kill()

    wait_until(lambda: app.state == "terminated")


def test_the_adapter_is_killed(start: Starts):
    """SIGKILL of the adapter ends the MicroVM, and leaves no process of it."""
    app = start()
    process = application(app)
    adapter = process.parent()
    assert adapter

    adapter.kill()

    wait_until(lambda: app.state == "terminated")
    assert psutil.wait_procs([process], 10)[1] == []


@pytest.mark.parametrize(
    "name", ["gunicorn", "node", "nginx", pytest.param("go", marks=pytest.mark.e2e)]
)
def test_servers(lambda_microvm: StartsMicroVMs, name: str, tmp_path: Path):
    """Any server lives in a MicroVM from its build to its end."""
    (port,) = free_ports(1)
    command, settings, _ = command_of(name, tmp_path)
    env = {**measured(), **settings, AFTER: "/after", SUSPEND: "/asleep"}
    words = [word.format(port=port) for word in command]

    app = lambda_microvm(words, app_port=port, env=env, payload="x" * 4_096)
    app.suspend()
    assert app.get("/page").is_success
    app.terminate()

    names = ["ready", "validate", "run", "suspend", "resume", "terminate"]
    assert called(app) == [(name, 200) for name in names]


@pytest.mark.parametrize("name", ["asgi", "wsgi"])
def test_an_entry_points_options(lambda_microvm: StartsMicroVMs, name: str):
    """The adapter's own options precede the command, as in an image's entry point."""
    attribute = {"asgi": "app", "wsgi": "wsgi"}[name]
    programs = str(PROJECT / "tests" / "programs")
    options = ["--app-dir", programs, f"--{name}", f"microvm_app:{attribute}"]

    app = lambda_microvm(options, env=measured())

    assert app.get("/page").status_code == 204
    app.suspend()
    app.resume()
    app.terminate()


def test_no_variable_of_a_function(start: Starts):
    """A MicroVM has its image's variables, and none of a function's."""
    environ = start().get("/environ").json()

    names = [name for name in environ if name.startswith("AWS_LAMBDA_")]
    assert sorted(names) == [
        "AWS_LAMBDA_MICROVM_IMAGE_ARN",
        "AWS_LAMBDA_MICROVM_IMAGE_NAME",
        "AWS_LAMBDA_MICROVM_IMAGE_VERSION",
    ]


def test_another_port(lambda_microvm: StartsMicroVMs):
    """An application on another port is reported with the right one."""
    here, there = free_ports(2)

    with pytest.raises(SetupError, match=f"listens on port {there}, not on {here}"):
        lambda_microvm([*UVICORN, "--port", str(there)], app_port=here, env=measured())


def test_a_slow_hook():
    """A hook that exceeds its default timeout is reported, with the way to raise it."""
    (port,) = free_ports(1)
    options = ("--microvm", "--port", "0", "--app-port", str(port), "--")
    env = {**measured(), AFTER: "/slow/1.2"}
    with open_terminal(*options, *UVICORN, "--port", str(port), env=env) as terminal:
        line = terminal.wait("^run took")

    assert re.search(r"1\.\d s, and has 1 s by default: set runTimeoutInSeconds", line)


@pytest.mark.parametrize("is_suspended", [False, True], ids=["running", "suspended"])
def test_local_is_killed(is_suspended):
    """SIGKILL of `local` leaves no process of a MicroVM, not even a stopped one."""
    (port,) = free_ports(1)
    options = ("--microvm", "--port", "0", "--app-port", str(port), "--")
    command = [*UVICORN, "--port", str(port), "--workers", "2"]
    with open_terminal(*options, *command, env=measured(), stdin=-1) as terminal:
        terminal.wait("^200  run")
        everyone = psutil.Process(terminal.process.pid).children(recursive=True)
        if is_suspended:
            terminal.type("suspend")
            terminal.wait("^200  suspend")
            wait_until(lambda: everyone[0].status() == psutil.STATUS_STOPPED)

        os.kill(terminal.process.pid, signal.SIGKILL)
        terminal.process.wait()

        assert len(everyone) >= 4
        gone, left = psutil.wait_procs(everyone, 10)
        assert (len(gone), left) == (len(everyone), [])


def test_an_application_that_does_not_start(lambda_microvm: StartsMicroVMs):
    """An application that ends before it is ready is an error with its last lines."""
    command = [sys.executable, "-c", "raise SystemExit('no module of mine')"]

    with pytest.raises(SetupError, match=r"exit status 1(.|\n)*no module of mine"):
        lambda_microvm(command)

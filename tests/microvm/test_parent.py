"""The adapter as the parent of a MicroVM's application."""

import os
import signal
import subprocess
import sys

import pytest

from tests.adapter import ADAPTER, children
from tests.emulator import PROJECT
from tests.microvm.lambda_side import UVICORN, open_microvm, wait_until

LOOP = "while :; do sleep 0.1; done"
PROGRAMS = str(PROJECT / "tests" / "programs")


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("exit 0", 0),
        ("exit 7", 7),
        ("kill -TERM $$", -signal.SIGTERM),
        ("kill -KILL $$", -signal.SIGKILL),
        ("kill -SEGV $$", -signal.SIGSEGV),
    ],
)
def test_the_applications_end_is_the_adapters(script, status):
    """The application's status, or the signal that ended it, is the adapter's own."""
    with open_microvm(shell(script)) as microvm:
        assert microvm.wait() == status


@pytest.mark.parametrize(
    ("command", "status", "line"),
    [
        (["/no/such/program"], 127, "can't be started: No such file"),
        (["/etc/passwd"], 126, "can't be started: Permission denied"),
    ],
)
def test_a_command_that_is_none(command, status, line):
    """A command that can't be executed ends the adapter, with the status of shells."""
    with open_microvm(command) as microvm:
        assert microvm.wait() == status
        microvm.wait_log(line)


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"])
def test_signals_are_handed_on(name):
    """A signal to the adapter reaches the application."""
    script = f"trap 'echo got >&2; exit 3' {name}; echo set >&2; {LOOP}"
    with open_microvm(shell(script)) as microvm:
        microvm.wait_log("set")

        microvm.process.send_signal(getattr(signal, f"SIG{name}"))

        assert microvm.wait() == 3
        assert microvm.log.count("got") == 1


def test_the_adapter_is_killed():
    """SIGKILL of the adapter leaves no process behind."""
    with open_microvm([*UVICORN, "--workers", "2", "--port", "{port}"]) as microvm:
        microvm.build("ready")

        microvm.process.kill()

        microvm.wait()
        wait_until(lambda: microvm.processes() == [])


def test_the_application_is_killed():
    """SIGKILL of the application ends the adapter, and what the application started."""
    with open_microvm(shell("sleep 1000 & exec sleep 1000")) as microvm:
        wait_until(lambda: len(microvm.processes()) == 3)
        (child,) = children(microvm.process.pid)

        os.kill(child, signal.SIGKILL)

        assert microvm.wait() == -signal.SIGKILL
        wait_until(lambda: microvm.processes() == [])


def test_terminate_gives_the_application_its_time():
    """``terminate`` sends SIGTERM and is answered once the application has ended."""
    script = f"trap 'sleep 2; exit 5' TERM; echo set >&2; {LOOP}"
    with open_microvm(shell(script)) as microvm:
        microvm.wait_log("set")

        assert microvm.hook("terminate") == 200

        assert microvm.wait() == 5


def test_a_freeze():
    """An application and adapter that are stopped and continued serve hooks again."""
    with open_microvm(AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH="/after") as microvm:
        microvm.build("ready")
        microvm.hook("suspend")
        pids = [microvm.process.pid, *children(microvm.process.pid)]

        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in pids:
                os.kill(pid, number)

        assert microvm.hook("resume") == 200
        assert microvm.process.poll() is None
        assert len(microvm.seen("/after")) == 1


def test_orphans_are_waited_for():
    """A process whose parent has ended becomes no zombie where the adapter is pid 1.

    A child of the adapter's stands in for an orphan: both are waited for alike.
    """
    code = (
        "import os, sys\n"
        "from lambda_adapter.microvm.parent import reap\n"
        "orphan, child = os.spawnlp(os.P_NOWAIT, 'true', 'true'), 0\n"
        "os.waitid(os.P_PID, orphan, os.WEXITED | os.WNOWAIT)\n"
        "assert reap(child) is None\n"
        "sys.exit(os.path.exists(f'/proc/{orphan}'))\n"
    )

    run = subprocess.run([sys.executable, "-c", code], timeout=20, check=False)

    assert run.returncode == 0


def test_a_port_that_is_taken():
    """A port of the hooks that is taken is an error, and nothing is started."""
    with (
        open_microvm() as first,
        open_microvm(
            shell("echo started >&2"), AWS_LWA_MICROVM_HOOKS_PORT=str(first.hooks)
        ) as second,
    ):
        assert second.wait() == 64
        second.wait_log("can't be used")
        assert "started" not in second.log


def test_without_the_setting():
    """Without the setting, the adapter becomes the application, as before."""
    script = "import os; print(os.getpid(), flush=True)"
    process = subprocess.Popen(
        [*ADAPTER, sys.executable, "-c", script],
        env={"PATH": os.environ["PATH"], "AWS_LAMBDA_MICROVM_IMAGE_NAME": "image"},
        stdout=subprocess.PIPE,
        text=True,
    )

    output, _ = process.communicate(timeout=20)

    assert output == f"{process.pid}\n"


def test_the_option():
    """``--microvm-hooks`` is the setting as an option."""
    command = ["--microvm-hooks", "{hooks}", *shell("exec sleep 1000")]
    with open_microvm(command, AWS_LWA_MICROVM_HOOKS_PORT="") as microvm:
        microvm.wait_log(f"served on port {microvm.hooks}")


def test_an_application_of_python():
    """With ``--asgi``, the hooks are served beside the installed server."""
    options = ("--app-dir", PROGRAMS, "--asgi", "microvm_app:app")
    with open_microvm([], *options) as microvm:
        assert microvm.build("ready", "validate", "run") == [200, 200, 200]
        assert microvm.hook("terminate") == 200


@pytest.mark.parametrize("port", ["x", "0", "70000"])
def test_a_bad_port(port):
    """An invalid port is an error, and nothing is started."""
    with open_microvm(
        shell("echo started >&2"), AWS_LWA_MICROVM_HOOKS_PORT=port
    ) as microvm:
        assert microvm.wait() == 64
        assert "AWS_LWA_MICROVM_HOOKS_PORT" in microvm.log


def test_it_is_small():
    """The parent loads neither trio nor msgspec nor an HTTP library."""
    code = (
        "import sys\n"
        "import lambda_adapter.microvm.parent\n"
        "large = {'trio', 'msgspec', 'http', 'asyncio', 'logging', 'email', 'ssl'}\n"
        "sys.exit(bool(large & set(sys.modules)))\n"
    )

    run = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(PROJECT / "src")},
        timeout=20,
        check=False,
    )

    assert run.returncode == 0

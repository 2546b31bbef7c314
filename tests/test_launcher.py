"""``launcher``: becoming the application, starting it, and who serves it."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from lambda_adapter.launcher import acquire_lock, application_environ
from lambda_adapter.startup_failure import describe_start_error
from tests.adapter import PUPPET, children, open_adapter
from tests.catalogue import http_api
from tests.fake_runtime_api import NEXT
from tests.test_cli import MAIN, executable, run


async def wait_end(pid):
    """Wait until a process has ended, which need not be a child of this one."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:  # it has ended already
        return
    try:
        with trio.fail_after(10):
            await trio.lowlevel.wait_readable(pidfd)
    finally:
        os.close(pidfd)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "PORT",
        "HOST",
        "AWS_LWA_PORT",
        "AWS_LWA_HOST",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_SESSION_TOKEN",
        "_HANDLER",
        "LAMBDA_TASK_ROOT",
        "AWS_LAMBDA_EXEC_WRAPPER",
        "ANYTHING_ELSE",
    ],
)
def test_application_keeps(name):
    """The application gets variables of AWS, of its address, and unknown ones."""
    assert application_environ({name: "value"}) == {name: "value"}


@pytest.mark.parametrize(
    "name",
    [
        "AWS_LWA_READINESS_CHECK_PATH",
        "AWS_LWA_INVOKE_MODE",
        "AWS_LWA_NO_SUCH_SETTING",
        "READINESS_CHECK_PATH",
        "READINESS_CHECK_PORT",
        "READINESS_CHECK_PROTOCOL",
        "ASYNC_INIT",
        "REMOVE_BASE_PATH",
        "_LAMBDA_TELEMETRY_LOG_FD",
    ],
)
def test_application_is_spared(name):
    """Variables that only the adapter reads do not reach the application."""
    assert application_environ({name: "value", "KEPT": "1"}) == {"KEPT": "1"}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOENT, ["No such file", "is it in the image, and on PATH?"]),
        (errno.EACCES, ["Permission denied", "chmod +x"]),
        (errno.ENOEXEC, ["format", "architecture"]),
        (errno.E2BIG, ["too long"]),
    ],
)
def test_why_a_command_can_not_be_started(code, words):
    """A command that can't be started is named, with the reason and what to look at."""
    message = describe_start_error("an-app", code)

    assert message.startswith("the application 'an-app' can't be started: ")
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        ("#!/bin/sh\r\nexec true\r\n", "its first line ends in CRLF"),
        ("#!/no/such/shell -e\n", "its #! line names /no/such/shell, which does not"),
    ],
)
def test_a_script_that_is_there_and_is_not_found(tmp_path, content, advice):
    """If a command's file exists, the advice is about what that file needs."""
    file = executable(tmp_path / "run.sh", content)

    for name in file, "run.sh":
        done = run(name, PATH=f"{tmp_path}:{os.environ['PATH']}")
        assert done.returncode == 127
        assert f"can't be started: No such file or directory; {advice}" in done.stderr


def test_a_program_for_another_libc(tmp_path):
    """A program without a loader in this image is told apart from a missing one."""
    file = executable(tmp_path / "program", "\x7fELF")

    assert "not the loader that it names" in describe_start_error(file, errno.ENOENT)


async def test_child(runtime):
    """The child is the leader of a process group, and its streams are the adapter's.

    Lambda signals the adapter's process group, which then is not the application's.
    """
    async with open_adapter(runtime.address, stdout=subprocess.DEVNULL) as adapter:
        await runtime.wait_posted("/next")
        pid = adapter.child()

        assert os.getpgid(pid) == pid
        assert os.getsid(pid) == os.getsid(adapter.process.pid) != pid
        for number in (0, 1, 2):
            of_child, of_adapter = (
                os.readlink(f"/proc/{each}/fd/{number}")
                for each in (pid, adapter.process.pid)
            )
            assert of_child == of_adapter


async def test_signals_of_the_child(runtime):
    """The application does not inherit the signals that Python ignores."""
    command = ["grep", "^SigIgn", "/proc/self/status"]
    bare = await trio.run_process(command, capture_stdout=True)
    async with open_adapter(
        runtime.address, command, stdout=subprocess.PIPE
    ) as adapter:
        assert adapter.process.stdout
        with trio.fail_after(10):
            output = await adapter.process.stdout.receive_some()

    assert output == bare.stdout


async def test_descriptors_of_the_child(runtime):
    """The child gets the three standard streams, and no file of the adapter's."""
    command = ["ls", "/proc/self/fd"]  # the listing itself has one open
    async with open_adapter(
        runtime.address, command, stdout=subprocess.PIPE
    ) as adapter:
        assert adapter.process.stdout
        with trio.fail_after(10):
            output = await adapter.process.stdout.receive_some()

    assert output.split() == [b"0", b"1", b"2", b"3"]


async def test_environment_of_the_child(runtime):
    """The child's environment is Lambda's, without what only the adapter reads."""
    async with open_adapter(
        runtime.address,
        AWS_LWA_PASS_THROUGH_PATH="/environ",
        AWS_LWA_READINESS_CHECK_PATH="/",
        AWS_LWA_HOST="127.0.0.1",
        READINESS_CHECK_PROTOCOL="http",
        EMPTY="",
        LC_ALL="C",
    ) as adapter:
        posted = await runtime.invoke(b"{}")
        pairs = [line.split("=", 1) for line in json.loads(posted.body).split("\n")]

    found = {name: value for name, value in pairs if "COV" not in name}
    assert found == {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": runtime.address,
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LWA_HOST": "127.0.0.1",
        "PORT": str(adapter.port),
        "EMPTY": "",
        "LC_ALL": "C",
    }


async def test_output_of_the_child(runtime):
    """The application's output is unchanged, on stdout and on stderr."""
    command = ["sh", "-c", "echo to stdout; echo to stderr >&2"]
    async with open_adapter(
        runtime.address, command, stdout=subprocess.PIPE
    ) as adapter:
        assert adapter.process.stdout
        with trio.fail_after(10):
            output = await adapter.process.stdout.receive_some()
        log = await adapter.wait_log("to stderr")

    assert output == b"to stdout\n"
    assert "to stderr\n" in log.splitlines(keepends=True)


ELF = Path("/bin/sh").read_bytes()[:18] + b"\xff\xfe" + bytes(44)
"""The head of a program for a machine that there is not."""

WRAPPER = ["sh", "-c", '"$@"; true', "sh"]
"""A shell script that starts the application without ``exec``, and stays beside it."""


@pytest.mark.parametrize("wrapper", [[], WRAPPER], ids=["direct", "behind a wrapper"])
@pytest.mark.parametrize("ignored", ["", "1"], ids=["", "ignores SIGTERM"])
async def test_killed_adapter(runtime, wrapper, ignored):
    """A killed adapter ends the application, and the shell that started it.

    The port is free again then, for the adapter that Lambda starts next.
    """
    async with open_adapter(
        runtime.address, [*wrapper, *PUPPET], PUPPET_IGNORE_TERM=ignored
    ) as adapter:
        await runtime.wait_posted("/next")
        pids = [adapter.child()]
        if wrapper:
            pids += children(adapter.child())

        adapter.process.kill()

        for pid in pids:
            await wait_end(pid)


IGNORING = """
import runpy, signal
for number in {numbers}:
    signal.signal(number, signal.SIG_IGN)
signal.signal = lambda *_: None  # the application's own wishes come second
runpy.run_path({main!r}, run_name="__main__")
"""
"""A program that ignores signals, and is the puppet besides."""


@pytest.mark.parametrize(
    "signals", [{signal.SIGIO}, {*signal.Signals}], ids=["SIGIO", "all"]
)
async def test_killed_adapter_of_an_application_that_ignores_signals(
    runtime, tmp_path, signals
):
    """A killed adapter ends an application that ignores signals.

    What Linux sends by itself for input on a pipe, SIGIO, can be ignored as well.
    """
    ignored = sorted(signals - {signal.SIGKILL, signal.SIGSTOP})
    program = tmp_path / "app.py"
    program.write_text(IGNORING.format(numbers=[*map(int, ignored)], main=PUPPET[1]))
    async with open_adapter(runtime.address, [sys.executable, str(program)]) as adapter:
        await runtime.wait_posted("/next")
        pid = adapter.child()

        adapter.process.kill()

        await wait_end(pid)


ORPHAN = """
import os, sys
from lambda_adapter.launcher import start
alive, ours = os.pipe()
def wait_orphaned():
    os.close(ours)
    os.read(alive, 1)
os.register_at_fork(
    after_in_child=wait_orphaned, after_in_parent=lambda: os.kill(os.getpid(), 9)
)
start(["echo", "started"], {"PATH": os.environ["PATH"]})
"""


def test_killed_before_the_application_starts():
    """An adapter that is killed right after the fork starts no application."""
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, timeout=10, check=False
    )

    assert (done.returncode, done.stdout) == (-9, b"")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/no/such/app", ["No such file or directory", "PATH"]),
        ("/dev/null", ["Permission denied", "chmod +x"]),
    ],
)
async def test_command_that_can_not_be_started(runtime, command, words):
    """An init error names a command that can't be started, and the reason."""
    async with open_adapter(runtime.address, [command]) as adapter:
        assert await adapter.wait() == 1

    (posted,) = [each for each in runtime.posted if "/init/error" in each.target]
    message = str(posted.json()["errorMessage"])
    assert message.startswith(f"the application '{command}' can't be started: ")
    for word in words:
        assert word in message
    assert posted.json()["errorType"] == "Runtime.AppStartError"
    assert NEXT not in [each.target for each in runtime.posted]
    assert message in adapter.log


BINARIES = {
    "for another machine": ELF,
    "cut short": ELF[:9],
    "no program": b"\0\1\2",
    "begins as text": b"echo hello > $HIJACKED\n\0",
    "a comment, then bytes": b"# " + b"x" * 400 + b"\nexit 0\n\0\xff",
}
"""Files that are executable, and neither a program of this machine nor a script."""


@pytest.mark.parametrize("name", BINARIES)
@pytest.mark.parametrize("where", ["path", "PATH"])
async def test_binary_is_no_script(runtime, tmp_path, name, where):
    """A file with a NUL is never read as a shell script: it can't be started."""
    binary = tmp_path / "an-app"
    binary.write_bytes(BINARIES[name])
    binary.chmod(0o755)
    command = str(binary) if where == "path" else "an-app"
    hijacked = tmp_path / "hijacked"

    async with open_adapter(
        runtime.address,
        [command],
        PATH=f"{tmp_path}:{os.environ['PATH']}",
        HIJACKED=str(hijacked),
    ) as adapter:
        assert await adapter.wait() == 1

    (posted,) = [each for each in runtime.posted if "/init/error" in each.target]
    assert posted.json()["errorType"] == "Runtime.AppStartError"
    assert f"'{command}' can't be started: Exec format error" in adapter.log
    assert "architecture" in adapter.log
    assert os.listdir(tmp_path) == ["an-app"]


async def test_script_without_interpreter(runtime, tmp_path):
    """A script that names no interpreter is the shell's, on Lambda as well."""
    script = tmp_path / "an-app"
    script.write_text("echo I am $0 >&2\n")
    script.chmod(0o755)

    async with open_adapter(runtime.address, [str(script)]) as adapter:
        await adapter.wait_log(f"I am {script}")


def command_of(pid):
    """Return the command that a process executes."""
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]


def wrapper(path, *lines):
    """Write a wrapper that does this, and then executes what it was given."""
    return executable(path, "\n".join(["#!/bin/sh", *lines, 'exec "$@"', ""]))


async def test_wrapper_of_a_command(runtime, tmp_path):
    """The wrapper executes the application's command, with the wrapper's variables.

    The wrapper is the child that the adapter watches, and becomes the application.
    """
    script = wrapper(tmp_path / "a wrapper", "export SET_BY=wrapper")
    async with open_adapter(runtime.address, AWS_LWA_EXEC_WRAPPER=script) as adapter:
        posted = await runtime.invoke(http_api("GET", "/environ"))
        command = command_of(adapter.child())

    assert "SET_BY=wrapper" in posted.json()["body"].splitlines()
    assert "AWS_LWA_EXEC_WRAPPER" not in posted.json()["body"]
    assert command == PUPPET


async def test_wrapper_of_a_handler(runtime, tmp_path):
    """The handler of a managed runtime is executed by the wrapper as well."""
    handler = wrapper(tmp_path / "run.sh", f"set -- {' '.join(PUPPET)}")
    script = wrapper(tmp_path / "wrapper", 'export SET_FOR="$*"')
    async with open_adapter(
        runtime.address,
        ["/no/such/runtime"],
        AWS_LAMBDA_EXEC_WRAPPER=MAIN,
        LAMBDA_TASK_ROOT=str(tmp_path),
        _HANDLER="run.sh",
        AWS_LWA_EXEC_WRAPPER=script,
    ):
        posted = await runtime.invoke(http_api("GET", "/environ"))

    assert f"SET_FOR={handler}" in posted.json()["body"].splitlines()


async def test_wrapper_of_what_lambda_starts(runtime):
    """If Lambda started the application, a warning says where to put the wrapper."""
    async with open_adapter(
        runtime.address, [], AWS_LWA_EXEC_WRAPPER="/opt/wrapper"
    ) as adapter:
        log = await adapter.wait_log("AWS_LWA_EXEC_WRAPPER")

    assert "WARN AWS_LWA_EXEC_WRAPPER does nothing here" in log
    assert "/opt/wrapper" in log


async def test_missing_wrapper(runtime):
    """A missing wrapper is reported, with its setting."""
    async with open_adapter(
        runtime.address, AWS_LWA_EXEC_WRAPPER="/no/such/wrapper"
    ) as adapter:
        posted = await runtime.wait_posted("/init/error")
        assert await adapter.wait() == 1

    message = str(posted.json()["errorMessage"])
    assert message.startswith(
        "the wrapper '/no/such/wrapper' (AWS_LWA_EXEC_WRAPPER) can't be started: No"
    )


async def test_wrapper_that_fails(runtime, tmp_path):
    """A wrapper that exits without the application is reported with its status."""
    script = wrapper(tmp_path / "wrapper", "echo no such agent >&2", "exit 7")
    async with open_adapter(runtime.address, AWS_LWA_EXEC_WRAPPER=script) as adapter:
        posted = await runtime.wait_posted("/init/error")
        assert await adapter.wait() == 1
        assert "no such agent" in adapter.log

    message = str(posted.json()["errorMessage"])
    assert message.startswith(
        f"the application (started through {script}) exited with status 7 before"
    )


async def test_wrapper_is_the_adapter(runtime):
    """The adapter can't be its own wrapper: that would start one without end."""
    async with open_adapter(runtime.address, AWS_LWA_EXEC_WRAPPER=MAIN) as adapter:
        posted = await runtime.wait_posted("/init/error")
        assert await adapter.wait() == 64

    message = str(posted.json()["errorMessage"])
    assert message == (
        f"AWS_LWA_EXEC_WRAPPER={MAIN!r} is not usable: expected a program other than"
        " this adapter, which AWS_LAMBDA_EXEC_WRAPPER is for"
    )


CLAIM = (
    "import sys; from lambda_adapter.launcher import acquire_lock;"
    "print(acquire_lock(sys.argv[1]), flush=True); sys.stdin.read()"
)


def claimant(directory) -> subprocess.Popen[str]:
    """Start a process that claims, and holds on until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", CLAIM, directory],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_first_has_it_until_it_ends(tmp_path):
    """A second adapter is refused until the first one ends, and no file tells of it."""
    with claimant(tmp_path) as first:
        assert first.stdout
        assert first.stdout.readline() == "True\n"
        assert not acquire_lock(str(tmp_path))

    with claimant(tmp_path) as second:
        assert second.stdout
        assert second.stdout.readline() == "True\n"

    assert list(tmp_path.iterdir()) == []


def test_refused_claim_leaves_nothing_open(tmp_path):
    """A lock that is refused, however often, keeps no descriptor open."""
    with claimant(tmp_path) as first:
        assert first.stdout
        first.stdout.readline()
        before = os.listdir("/proc/self/fd")

        assert not any(acquire_lock(str(tmp_path)) for _ in range(3))

        assert os.listdir("/proc/self/fd") == before


def test_without_extensions_there_is_no_other(tmp_path):
    """Every adapter may serve where the directory of extensions is missing."""
    assert acquire_lock(str(tmp_path / "none"))
    assert acquire_lock(str(tmp_path / "none"))

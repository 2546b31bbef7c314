"""``cli``: the command, which off Lambda becomes the application."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
from datetime import datetime
from pathlib import Path

import pytest
import trio

from lambda_adapter import __version__
from lambda_adapter.cli import SUPPORTED
from tests.adapter import PUPPET, environment, measured, open_adapter
from tests.emulator import PROJECT
from tests.fake_runtime_api import INIT_ERROR
from tests.ports import free_port
from tests.processes import Process

MODULE = [sys.executable, "-m", "lambda_adapter"]
SCRIPT = os.path.join(sysconfig.get_path("scripts"), "lambda-adapter")
MAIN = str(Path(sys.modules["lambda_adapter"].__file__ or "").parent / "__main__.py")

ENVIRON = {"PATH": os.environ["PATH"], "LC_ALL": "C"} | measured()
PYTHON = [sys.executable, "-I", "-S", "-c"]


def run(*command, adapter=MODULE, stdin="", **environ):
    """Run the adapter outside Lambda."""
    return subprocess.run(
        [*adapter, *command],
        env=ENVIRON | environ,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )


def executable(path, content, mode=0o755):
    """Write a file that can be executed."""
    path.write_text(content)
    path.chmod(mode)
    return str(path)


def test_becomes_the_command():
    """Outside Lambda, the adapter's process is the application's."""
    with Process(
        [*MODULE, *PYTHON, "import os; print(os.getpid())"],
        env=ENVIRON,
        stdout=subprocess.PIPE,
    ) as process:
        output, _ = process.communicate(timeout=10)

    assert int(output) == process.pid


def test_arguments_arrive_as_they_are():
    """No argument is read, split, expanded or left out."""
    arguments = ["--version", "", "a b", "*", "$PATH", "--", "-x"]

    done = run(*PYTHON, "import sys; print(sys.argv[1:])", *arguments)

    assert done.stdout == f"{arguments}\n"


@pytest.mark.parametrize("status", [0, 1, 3, 255])
def test_status_is_the_commands(status):
    """The exit status of the command is the application's."""
    assert run("sh", "-c", f"exit {status}").returncode == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_death_is_the_commands(number):
    """The parent sees which signal has killed the command."""
    assert run("sh", "-c", f"kill -{number} $$").returncode == -number


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_reach_the_command(number):
    """A signal goes to the application itself."""
    script = f"trap 'echo {number}; exit 7' {number}; echo ready; read line"
    with Process(
        [*MODULE, "sh", "-c", script],
        env=ENVIRON,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A shell starts what runs in its background to ignore SIGINT, and a shell that
        # was started to ignore a signal can't trap it.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)

        assert process.stdout.readline() == f"{int(number)}\n"
        assert process.wait(timeout=10) == 7


def test_signals_are_as_found():
    """The application does not inherit Python's ignored signals: SIGPIPE ends it."""
    command = ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"]
    bare = subprocess.run(command, capture_output=True, text=True, check=True)

    assert masks(run(*command).stdout) == masks(bare.stdout)


def masks(status: str) -> list[int]:
    """Return which signals are blocked and which are ignored, one a bit.

    Without 32 and 33, which are the C library's own: Python 3.13.0 leaves them ignored
    in what it starts by vfork.
    """
    return [int(line.split()[1], 16) & ~(0b11 << 31) for line in status.splitlines()]


def test_streams_are_the_commands():
    """Standard input, output and error are the application's."""
    done = run("sh", "-c", "read line; echo out $line; echo err $line >&2", stdin="x\n")

    assert (done.stdout, done.stderr) == ("out x\n", "err x\n")


def test_no_other_descriptor_is_left_open():
    """The application gets the three standard streams, and no file of the adapter's."""
    # The listing itself has one open.
    done = run("ls", "/proc/self/fd")

    assert done.stdout.split() == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"LC_ALL": "C"}, id="locale C"),
        pytest.param({"LANG": "C.UTF-8"}, id="locale C.UTF-8"),
        pytest.param({}, id="no locale"),
        pytest.param(
            {"LC_ALL": "C", "AWS_LWA_PORT": "1", "AWS_LWA_NONE": "x", "EMPTY": ""},
            id="its own settings",
        ),
    ],
)
def test_environment_is_unaltered(environ):
    """The application's environment is exactly the adapter's."""
    given = {name: value for name, value in ENVIRON.items() if name != "LC_ALL"}
    given |= environ
    done = subprocess.run(
        [*MODULE, "env", "-0"],
        env=given,
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )

    found = dict(entry.split("=", 1) for entry in done.stdout.split("\0")[:-1])
    assert found == given


def test_command_is_looked_up_in_path(tmp_path):
    """A command without a slash is looked up as a shell does."""
    executable(tmp_path / "an-app", "#!/bin/sh\necho found\n")

    done = run("an-app", PATH=f"/nowhere:{tmp_path}:{ENVIRON['PATH']}")

    assert done.stdout == "found\n"


@pytest.mark.parametrize("named", ["an-app", "{}/an-app"])
def test_script_without_interpreter(tmp_path, named):
    """A script that names no interpreter is the shell's, wherever it was found."""
    executable(tmp_path / "an-app", "echo $# $1 $0\n")

    done = run(named.format(tmp_path), "a b", PATH=f"{tmp_path}:{ENVIRON['PATH']}")

    assert done.stdout == f"1 a b {tmp_path}/an-app\n"


@pytest.mark.parametrize("command", ["no-such-app", "/no/such/app", ""])
def test_missing_command(command):
    """A command that does not exist is named, with exit status 127."""
    done = run(command)

    assert done.returncode == 127
    assert done.stdout == ""
    assert done.stderr.startswith(f"lambda-adapter: the application {command!r} ")
    assert "No such file or directory" in done.stderr
    assert "PATH" in done.stderr


def test_missing_interpreter(tmp_path):
    """A script with a missing interpreter is reported with the interpreter."""
    script = executable(tmp_path / "an-app", "#!/no/such/interpreter\n")

    done = run(script)

    assert done.returncode == 127
    assert repr(script) in done.stderr
    assert "#!" in done.stderr


def test_command_that_is_not_executable(tmp_path):
    """A command that is not executable is named, with exit status 126."""
    script = executable(tmp_path / "an-app", "#!/bin/sh\n", mode=0o644)

    done = run(script)

    assert done.returncode == 126
    assert f"{script!r} can't be started: Permission denied" in done.stderr
    assert "chmod +x" in done.stderr


def test_command_that_is_a_directory(tmp_path):
    """A command that is a directory is named, with exit status 126."""
    assert run(str(tmp_path)).returncode == 126


def test_command_that_is_no_program(tmp_path):
    """A command that is neither program nor script is named, with status 126."""
    file = tmp_path / "an-app"
    file.write_bytes(b"\x7fNOT\0" * 100)
    file.chmod(0o755)

    done = run(str(file))

    assert done.returncode == 126
    assert "architecture" in done.stderr


def test_no_command():
    """Without a command there is nothing to become: the usage, and status 64."""
    done = run()

    assert done.returncode == 64
    assert done.stdout == ""
    assert done.stderr.startswith("usage: lambda-adapter COMMAND")


@pytest.mark.parametrize("adapter", [MODULE, [SCRIPT]], ids=["module", "script"])
def test_version(adapter):
    """``--version`` prints name and version."""
    done = run("--version", adapter=adapter)

    assert done.returncode == 0
    assert done.stdout == f"lambda-adapter {__version__}\n"


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(option):
    """``--help`` and ``-h`` print the usage, on stdout."""
    done = run(option)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: lambda-adapter COMMAND")


@pytest.mark.parametrize("word", ["AWS_LWA_PORT", "local --help", "main:app"])
def test_help_says_where_to_go_on(word):
    """The usage names the settings, the local Lambda and an example."""
    assert word in run("--help").stdout


@pytest.mark.parametrize("word", ["check", "invoke", "events", "checq", "llocal"])
def test_command_of_local_without_it(word):
    """A command of `local` without that word is told what was probably meant."""
    meant = {"checq": "local check", "llocal": "local"}.get(word, f"local {word}")

    done = run(word, "--help")

    assert done.returncode == 127
    assert done.stderr.endswith(f"; did you mean lambda-adapter {meant}?\n")


def test_local_is_reserved():
    """Outside Lambda, `local` is the only word that can't name a command."""
    done = run("local", "--help")

    assert done.returncode == 0
    assert done.stdout.startswith("Usage: lambda-adapter local")


async def test_local_is_not_reserved_on_lambda(runtime, tmp_path):
    """On Lambda, `local` is a command like any other."""
    executable(tmp_path / "local", f"#!/bin/sh\nexec {shlex.join(PUPPET)}\n")
    path = f"{tmp_path}:{ENVIRON['PATH']}"

    async with open_adapter(runtime.address, ["local"], PATH=path):
        posted = await runtime.invoke({"an": "event"})

    assert posted.body == b'{"an": "event"}'


def test_local_without_its_libraries():
    """If libraries of `local` are missing, one line says how to install it."""
    done = run("local", "--", "true", adapter=WITHOUT_LIBRARIES)

    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.count("\n") == 1
    assert "pip install" in done.stderr


def test_empty_runtime_api_is_not_lambda():
    """Without an address of the Runtime API, this is not Lambda."""
    assert run("echo", "here", AWS_LAMBDA_RUNTIME_API="").stdout == "here\n"


async def test_bad_setting(runtime, tmp_path):
    """A setting that can't be used is named, with its value and what was expected.

    Lambda is told the same as an init error, and nothing is started.
    """
    mark = tmp_path / "started"
    command = ["touch", str(mark)]

    async with open_adapter(runtime.address, command, AWS_LWA_PORT="http") as adapter:
        status = await adapter.wait()
        log = await adapter.wait_log("\n")

    message = "AWS_LWA_PORT='http' is not usable: expected a port from 1 to 65535"
    assert status == 64
    assert log == f"lambda-adapter: ERROR Runtime.ConfigError: {message}\n"
    assert not mark.exists()
    (posted,) = runtime.posted
    assert posted.target == INIT_ERROR
    assert posted.json() == {
        "errorMessage": message,
        "errorType": "Runtime.ConfigError",
    }


async def test_bad_setting_as_json(runtime):
    """An error before logging is set up is in the log's format as well."""
    async with open_adapter(
        runtime.address, ["true"], AWS_LWA_PORT="http", AWS_LAMBDA_LOG_FORMAT="json"
    ) as adapter:
        await adapter.wait()
        line = json.loads(await adapter.wait_log("\n"))

    datetime.fromisoformat(line.pop("timestamp"))
    assert line == {
        "level": "ERROR",
        "logger": "lambda-adapter",
        "message": "Runtime.ConfigError: AWS_LWA_PORT='http' is not usable: expected a"
        " port from 1 to 65535",
    }


async def test_bad_address_of_the_runtime_api():
    """If Lambda's own address can't be used, one line says so."""
    async with open_adapter("nowhere") as adapter:
        assert await adapter.wait() == 64

    assert adapter.log == (
        "lambda-adapter: ERROR Runtime.ConfigError: AWS_LAMBDA_RUNTIME_API='nowhere' is"
        " not usable: expected host:port, such as 127.0.0.1:9002\n"
    )


async def test_bad_setting_that_lambda_can_not_be_told_of():
    """An init error that reaches no Runtime API adds a line, and keeps the status."""
    address = f"127.0.0.1:{free_port()}"
    async with open_adapter(address, AWS_LWA_PORT="http") as adapter:
        assert await adapter.wait() == 64
        log = await adapter.wait_log("refused\n")

    first, second = log.splitlines()
    assert "ERROR Runtime.ConfigError: AWS_LWA_PORT='http' is not usable" in first
    assert second.startswith("lambda-adapter: ERROR the init error did not reach")


BARE = "import sys; sys.path.insert(0, {!r}); from lambda_adapter.cli import main;"
"""The adapter under a Python that has none of the libraries that it needs."""
WITHOUT_LIBRARIES = [
    *(sys.executable, "-IS", "-c"),
    BARE.format(str(Path(MAIN).parent.parent)) + "sys.exit(main())",
]


async def test_unsupported_python(runtime):
    """A Python without the adapter's libraries is named, and those that are supported.

    Lambda is told the same as an init error, and the application ends.
    """
    async with open_adapter(
        runtime.address, adapter=WITHOUT_LIBRARIES, stdout=subprocess.PIPE
    ) as adapter:
        assert await adapter.wait() == 64
        assert adapter.process.stdout
        with trio.fail_after(10):  # it ends with the last process that has it open
            assert await adapter.process.stdout.receive_some() == b""
        log = await adapter.wait_log("\n")

    (line,) = log.splitlines()
    version = "{}.{}.{}".format(*sys.version_info)
    python = f"Python {version} ({sys.executable})"
    start = "lambda-adapter: ERROR Runtime.UnsupportedPythonError: "
    assert line.startswith(start + python)
    assert "No module named" in line
    assert "CPython 3.11 to 3.15" in line
    (posted,) = runtime.posted
    assert posted.target == INIT_ERROR
    assert posted.json() == {
        "errorMessage": line.removeprefix(start),
        "errorType": "Runtime.UnsupportedPythonError",
    }


async def test_python_that_is_too_new(runtime, tmp_path):
    """A Python in which a library can't be imported is named in one line, with why."""
    (tmp_path / "msgspec.py").write_text("raise AttributeError('gone since 3.99')")

    async with open_adapter(runtime.address, PYTHONPATH=str(tmp_path)) as adapter:
        assert await adapter.wait() == 64
        log = await adapter.wait_log("\n")

    (line,) = [line for line in log.splitlines() if "puppet" not in line]
    assert "is not supported: AttributeError: gone since 3.99;" in line
    assert runtime.posted[-1].json()["errorType"] == "Runtime.UnsupportedPythonError"


def test_version_of_an_unsupported_python():
    """``--version`` fails where serving would fail, so that no such image is built."""
    done = run("--version", adapter=WITHOUT_LIBRARIES)

    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith("lambda-adapter: Python ")
    assert done.stderr.count("\n") == 1


def test_supported_pythons():
    """The documented Pythons are those that are built for."""
    builder = PROJECT / "packaging" / "build_zipapp.py"
    (pythons,) = re.findall(r"^PYTHONS = \((.+)\)$", builder.read_text(), re.MULTILINE)
    first, *_, last = re.findall(r"[\d.]+", pythons)

    assert SUPPORTED.startswith(f"CPython {first} to {last} ")


async def test_settings_are_not_read_off_lambda():
    """Outside Lambda, an invalid setting changes nothing."""
    assert run("echo", "here", AWS_LWA_PORT="http").stdout == "here\n"


async def test_starts_the_command_on_lambda(runtime):
    """On Lambda, the command becomes a child, and the adapter serves it."""
    async with open_adapter(runtime.address) as adapter:
        await runtime.wait_posted("/next")

        assert adapter.child() != adapter.process.pid


@pytest.mark.parametrize("adapter", [MODULE, [SCRIPT]], ids=["module", "script"])
async def test_wrapper_script(runtime, tmp_path, adapter):
    """The adapter as a managed runtime's wrapper script starts the handler instead.

    What Lambda would have run is ignored, even if it is no command at all.
    """
    command = " ".join(f"'{word}'" for word in PUPPET)
    executable(tmp_path / "run.sh", f"#!/bin/sh\nexec {command}\n")
    wrapper = MAIN if adapter is MODULE else SCRIPT

    async with open_adapter(
        runtime.address,
        ["/no/such/runtime", "--argument"],
        adapter=adapter,
        AWS_LAMBDA_EXEC_WRAPPER=wrapper,
        LAMBDA_TASK_ROOT=str(tmp_path),
        _HANDLER="run.sh",
    ):
        posted = await runtime.invoke({"an": "event"})

    assert posted.body == b'{"an": "event"}'


async def test_bootstrap(runtime, tmp_path):
    """The adapter as an OS-only runtime's bootstrap starts the handler."""
    command = " ".join(f"'{word}'" for word in PUPPET)
    executable(tmp_path / "run.sh", f"#!/bin/sh\nexec {command}\n")
    bootstrap = tmp_path / "bootstrap"
    bootstrap.symlink_to(MAIN)

    async with open_adapter(
        runtime.address,
        [],
        adapter=[sys.executable, str(bootstrap)],
        LAMBDA_TASK_ROOT=str(tmp_path),
        _HANDLER="run.sh",
    ):
        posted = await runtime.invoke({"an": "event"})

    assert posted.body == b'{"an": "event"}'


async def test_wrapper_without_such_a_handler(runtime, tmp_path):
    """A handler that is not a program of the package is reported by its path."""
    async with open_adapter(
        runtime.address,
        AWS_LAMBDA_EXEC_WRAPPER=MAIN,
        LAMBDA_TASK_ROOT=str(tmp_path),
        _HANDLER="module.function",
    ):
        posted = await runtime.wait_posted("/init/error")

    assert repr(f"{tmp_path}/module.function") in str(posted.json()["errorMessage"])


@pytest.mark.parametrize("wrapper", ["/bin/sh", "/no/such/wrapper"])
async def test_another_wrapper_script(runtime, wrapper):
    """A wrapper script other than the adapter's changes nothing."""
    async with open_adapter(
        runtime.address, AWS_LAMBDA_EXEC_WRAPPER=wrapper, _HANDLER="module.function"
    ):
        posted = await runtime.invoke({"an": "event"})

    assert posted.body == b'{"an": "event"}'


def test_wrapper_is_of_no_account_off_lambda():
    """Outside Lambda no handler is started."""
    assert run("echo", "here", AWS_LAMBDA_EXEC_WRAPPER=MAIN).stdout == "here\n"


LOADING = """
import os, sys
from lambda_adapter import cli
def load():
    with open(os.environ["MARK"]) as mark:
        print(mark.read(), "trio" in sys.modules, flush=True)
    raise SystemExit(5)
sys.exit(cli.main(load))
"""


def test_load_comes_after_the_start(tmp_path):
    """The zipapp unpacks its other files once the application runs, not before."""
    mark = str(tmp_path / "mark")
    os.mkfifo(mark)

    done = subprocess.run(
        [sys.executable, "-c", LOADING, "sh", "-c", f"printf started > {mark}"],
        env=environment("127.0.0.1:1", 1, {"MARK": mark}),
        stdout=subprocess.PIPE,
        timeout=10,
        check=False,
    )

    assert (done.returncode, done.stdout) == (5, b"started False\n")


def test_load_is_not_needed_off_lambda():
    """The application that the adapter becomes waits for nothing."""
    done = subprocess.run(
        [sys.executable, "-c", LOADING, "echo", "here"],
        env=ENVIRON,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "here\n")


@pytest.mark.parametrize(
    ("command", "environ", "reason"),
    [
        (["--asgi", "a:b", "--wsgi", "c:d"], {}, "AWS_LWA_WSGI_APP='c:d'"),
        (["--asgi", "a:b"], {"AWS_LWA_WSGI_APP": "c:d"}, "AWS_LWA_WSGI_APP='c:d'"),
        (["--asgi", "a:b", "gunicorn"], {}, "'gunicorn' is a command, but --asgi "),
        (["gunicorn"], {"AWS_LWA_WSGI_APP": "a:b"}, "--wsgi (AWS_LWA_WSGI_APP) runs"),
        (["--asgi", "a"], {}, "module:attribute"),
        (["--asgi"], {}, "--asgi needs a value"),
        (["--asgl", "a:b"], {}, "there is no option --asgl; did you mean --asgi?"),
        (["--port", "1"], {}, "there is no option --port: see lambda-adapter --help"),
    ],
)
@pytest.mark.parametrize("is_lambda", [False, True])
async def test_one_application(runtime, command, environ, reason, is_lambda):
    """Nothing starts unless exactly one application is named.

    On Lambda, that is an init error.
    """
    if is_lambda:
        async with open_adapter(runtime.address, command, **environ) as adapter:
            status = await adapter.wait()
        posted = await runtime.wait_posted(INIT_ERROR)
        assert reason in str(posted.json()["errorMessage"])
        log = adapter.log
    else:
        done = run(*command, **environ)
        status, log = done.returncode, done.stderr

    assert status == 64
    assert reason in log

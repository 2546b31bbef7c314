"""The native file: what is in it, and that it needs nothing of the image."""

import filecmp
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from elftools.elf.elffile import ELFFile

from lambda_adapter import __version__
from tests.adapter import PUPPET, open_adapter
from tests.emulator import PROJECT
from tests.fake_runtime_api import FakeRuntimeApi
from tests.ports import free_ports

NATIVE = PROJECT / f"dist/lambda-adapter-{platform.machine()}"
MAX_SIZE = 10_500_000
BUILD_TIMEOUT = 300
"""Seconds to compile it once more on a busy machine."""

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not NATIVE.exists(), reason="`make native` has not built it"),
]


def run(*command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the file with arguments, in an environment of ``env`` alone."""
    return subprocess.run([NATIVE, *command], env=env, capture_output=True, text=True)


def test_is_static_and_small():
    """The file has no dynamic section and no interpreter, and at most 10.5 MB."""
    with NATIVE.open("rb") as file:
        segments = {each["p_type"] for each in ELFFile(file).iter_segments()}

    assert segments.isdisjoint({"PT_INTERP", "PT_DYNAMIC"})
    assert NATIVE.stat().st_size <= MAX_SIZE


@pytest.mark.timeout(BUILD_TIMEOUT)
def test_is_reproducible(tmp_path: Path):
    """The file, built again elsewhere, is the same, and so is what is said of it."""
    again = tmp_path / NATIVE.name
    build = PROJECT / "packaging/build_native.py"
    subprocess.run([sys.executable, build, again], cwd=tmp_path, check=True)

    assert filecmp.cmp(again, NATIVE, shallow=False)
    for suffix in ".cdx.json", ".licenses.txt":
        said = NATIVE.with_name(f"{NATIVE.name}{suffix}")
        assert (tmp_path / said.name).read_bytes() == said.read_bytes()


def test_what_is_missing(tmp_path: Path):
    """Without Debian 12 and without a container engine, the error says so."""
    build = (
        "import sys; sys.path.insert(0, sys.argv[1]); import build_native;"
        "build_native.build_in_container('')"
    )
    done = subprocess.run(
        [sys.executable, "-c", build, PROJECT / "packaging"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("The native file takes Debian 12 with libpython3.11-")
    assert "docker: not installed" in done.stderr


def test_says_what_is_in_it():
    """The version names the CPython that is linked in, and so does the SBOM."""
    sbom = json.loads(NATIVE.with_name(f"{NATIVE.name}.cdx.json").read_text())
    versions = {each["name"]: each["version"] for each in sbom["components"]}

    said = run("--version").stdout

    assert said.startswith(f"lambda-adapter {__version__} (CPython ")
    assert versions["cpython"] in said
    assert {"cpython", "glibc", "zlib", "msgspec", "trio", "outcome"} <= versions.keys()
    assert all(each["licenses"] for each in sbom["components"])


def test_licences():
    """Beside the file are the texts of the licences of all that the SBOM names."""
    sbom = json.loads(NATIVE.with_name(f"{NATIVE.name}.cdx.json").read_text())
    texts = NATIVE.with_name(f"{NATIVE.name}.licenses.txt").read_text("utf-8")

    for each in [sbom["metadata"]["component"], *sbom["components"]]:
        (named,) = each["licenses"]
        title = f"\n{each['name']} {each['version']}"
        assert f"({named['expression']})\n" in texts.partition(title)[2]
    for words in (
        *("Apache License", "PYTHON SOFTWARE FOUNDATION LICENSE", "Jean-loup Gailly"),
        *("GNU LESSER GENERAL PUBLIC LICENSE", "GCC RUNTIME LIBRARY EXCEPTION"),
        *("Jim Crist-Harif", "Hynek Schlawack"),
    ):
        assert words in texts


def test_help():
    """The file explains itself, without an environment."""
    done = run("--help")

    assert done.returncode == 0
    assert done.stdout.startswith("usage: lambda-adapter COMMAND")


def test_the_environment_is_as_it_was_given():
    """Every variable reaches the application as it was given, and no other does."""
    env = {
        "my-var": "1",
        "spring.profiles.active": "dev",
        "bytes": "\udcff\udcfe",
        "IFS": ":",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "nonsense",
        "EMPTY": "",
    }

    done = subprocess.run(
        [NATIVE, "/bin/cat", "/proc/self/environ"], env=env, capture_output=True
    )

    variables = os.fsdecode(done.stdout).split("\0")[:-1]
    assert variables == [f"{name}={value}" for name, value in env.items()]


def test_opens_no_file(tmp_path: Path):
    """A start off Lambda opens no file but the time zone, and looks for no other."""
    if not shutil.which("strace") and not os.environ.get("CI"):
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"

    subprocess.run(
        ["strace", "-e", "trace=%file", "-o", trace, NATIVE, "/bin/true"], check=True
    )

    calls = trace.read_text().partition('execve("/bin/true"')[0].splitlines()
    others = ("/proc/self/exe", "/etc/localtime", NATIVE.name, ', "", ')
    assert [call for call in calls if not any(each in call for each in others)] == []


@pytest.mark.skipif(os.getuid() != 0, reason="it takes root to change the root")
async def test_needs_nothing_of_the_image(tmp_path: Path, runtime: FakeRuntimeApi):
    """In a root that holds nothing but the file, it is attached and serves an event."""
    shutil.copy(NATIVE, tmp_path / "adapter")
    listener = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener[0].socket.getsockname()[1]
    enter = (
        "import os, sys; os.chroot(sys.argv[1]); os.chdir('/');"
        "os.execv('/adapter', ['adapter'])"
    )

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, respond_fine, listener)
        async with open_adapter(
            runtime.address,
            (),
            adapter=[sys.executable, "-c", enter, str(tmp_path)],
            port=port,
        ):
            posted = await runtime.invoke({"an": "event"})
        nursery.cancel_scope.cancel()

    assert posted.json() == {"fine": True}


async def respond_fine(stream: trio.SocketStream) -> None:
    """Answer each request with a little JSON."""
    body = b'{"fine":true}'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d"
    async for data in stream:
        if b"\r\n\r\n" in data:
            await stream.send_all(head % len(body) + b"\r\n\r\n" + body)


async def test_serves_a_command(runtime: FakeRuntimeApi):
    """An application that the file starts gets the event, and ends with it."""
    async with open_adapter(runtime.address, PUPPET, adapter=[str(NATIVE)]) as adapter:
        posted = await runtime.invoke({"an": "event"})

    assert posted.json() == {"an": "event"}
    assert adapter.process.returncode == 0


async def test_finds_a_host_by_its_name(runtime: FakeRuntimeApi):
    """The host of an application may be a name: /etc/hosts and DNS are asked."""
    name = socket.gethostname()
    try:
        address = socket.getaddrinfo(name, 80, socket.AF_INET)[0][4][0]
    except OSError:
        pytest.skip("this machine has no name that is known")
    listener = await trio.open_tcp_listeners(0, host=str(address))
    port = listener[0].socket.getsockname()[1]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, respond_fine, listener)
        async with open_adapter(
            runtime.address, (), adapter=[str(NATIVE)], port=port, AWS_LWA_HOST=name
        ):
            posted = await runtime.invoke({"an": "event"})
        nursery.cancel_scope.cancel()

    assert posted.json() == {"fine": True}


async def test_a_host_that_is_none(runtime: FakeRuntimeApi):
    """An unknown host is a failed readiness check, without a traceback."""
    async with open_adapter(
        runtime.address,
        (),
        adapter=[str(NATIVE)],
        AWS_LWA_HOST="nowhere.invalid",
        AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS="1",
    ) as adapter:
        log = await adapter.wait_log("Runtime.AppNotReadyError")

    assert "Traceback" not in log


def test_local_is_elsewhere():
    """One line says where to get `local`."""
    done = run("local", "--", "true")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (64, "", 1)
    assert "`local` is not in this installation" in done.stderr
    assert "pip install" in done.stderr


@pytest.mark.parametrize("arguments", [["--asgi", "app:app"], ["--wsgi=app:app"], []])
def test_in_process_without_the_zipapp(arguments: list[str]):
    """One line says what an application in process takes."""
    env = {} if arguments else {"AWS_LWA_ASGI_APP": "app:app"}
    done = run(*arguments, **env)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (64, "", 1)
    assert "put the zipapp, dist/bootstrap, at /opt/lambda-adapter.pyz" in done.stderr


HOOKS = ["--microvm-hooks", str(free_ports(1)[0])]


@pytest.mark.parametrize(
    "options",
    [
        ["--asgi", "app:app"],
        ["--app-dir=src", "--wsgi", "app:app"],
        [*HOOKS, "--asgi", "app:app"],
        ["=".join(HOOKS), "--app-dir", "src", "--wsgi=app:app"],
    ],
)
def test_in_process_with_the_zipapp(tmp_path: Path, options: list[str]):
    """An application in process is handed to the zipapp that lies beside the file."""
    shutil.copy(NATIVE, tmp_path / "bootstrap")
    zipapp = tmp_path / "lambda-adapter.pyz"
    zipapp.write_text('#!/bin/sh\necho "$@" "$A"\n')
    zipapp.chmod(0o755)

    done = subprocess.run(
        [tmp_path / "bootstrap", *options],
        env={"A": "variable"},
        capture_output=True,
        text=True,
    )

    assert done.stdout == f"{' '.join(options)} variable\n"


@pytest.mark.parametrize("options", [HOOKS, ["=".join(HOOKS)], [*HOOKS, "--"]])
def test_hooks_of_a_microvm(options: list[str]):
    """The file answers a MicroVM's hooks itself, whatever the command's options are."""
    script = 'echo "$0 $PATH"; exit 7'

    done = run(*options, "sh", "-c", script, "--asgi", PATH=os.environ["PATH"])

    assert (done.returncode, done.stdout) == (7, f"--asgi {os.environ['PATH']}\n")
    assert f"hooks of a MicroVM are served on port {HOOKS[1]}" in done.stderr


def test_a_traceback_has_lines():
    """An unexpected error has a traceback with modules and lines."""
    limited = 'ulimit -n 3; exec "$0" true'
    done = subprocess.run(
        ["sh", "-c", limited, NATIVE],
        env={"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert "Too many open files" in done.stderr
    assert 'File "<frozen lambda_adapter.launcher>", line ' in done.stderr


@pytest.mark.timeout(300)
def test_endures_what_the_adapter_does():
    """Faults, odd events and odd responses need no module that the file lacks."""
    environ = {**os.environ, "TESTED_ADAPTER": str(NATIVE)}
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    done = subprocess.run(
        [*command, "tests/torture", "-k", "not in_process"],
        cwd=PROJECT,
        env=environ,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout[-5000:]
    assert " passed" in done.stdout

"""AWS's library of SnapStart's hooks, for an application of Python's in a MicroVM."""

import json
import os
import subprocess
import sys
from http.client import HTTPConnection

import pytest

from tests.emulator import BOOTSTRAP, PROJECT
from tests.microvm.lambda_side import MicroVM, open_microvm

PROGRAMS = str(PROJECT / "tests" / "programs")
PATHS = ("/.lambda-adapter/before-snapshot", "/.lambda-adapter/after-restore")


def options(kind: str, name: str = "") -> list[str]:
    """Return the adapter's options for an application with hooks."""
    return ["--app-dir", PROGRAMS, f"--{kind}", name or f"snapshot_app:{kind}"]


def notes(microvm: MicroVM) -> list[str]:
    """Return what the application and its hooks have noted, in order."""
    lines = microvm.log.splitlines()
    return [line for line in lines if line.startswith(("before, ", "after, ", "/"))]


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_order(kind):
    """Hooks run at ``ready``, the last one first, and at ``run`` and ``resume``."""
    settings = {
        "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH": "/before-path",
        "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/after-path",
        "AWS_LWA_READINESS_CHECK_PROTOCOL": "tcp",
    }
    with open_microvm([], *options(kind), **settings) as microvm:
        assert microvm.build("ready", "validate") == [200, 200]
        assert [microvm.hook(name) for name in ("run", "suspend", "resume")] == [
            *(200, 200, 200)
        ]
        assert microvm.hook("terminate") == 200
        microvm.wait()

    restored = ["after, restored first", "after, registered last", "/after-path"]
    assert notes(microvm) == [
        *("/before-path", "before, registered last", "before, registered first"),
        *restored,
        *restored,
    ]


@pytest.mark.parametrize(
    ("what", "hooks", "statuses", "said"),
    [
        (
            "before raises",
            ("ready",),
            [500],
            "hook first of snapshot_restore_py",
        ),
        (
            "raises",
            ("ready", "run"),
            [200, 500],
            "hook restored of snapshot_restore_py",
        ),
        ("leaves", ("ready", "run"), [200, 500], "failed: SystemExit: 3"),
    ],
)
@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_failures(kind, what, hooks, statuses, said):
    """A hook that raises is a 500 and a log line, and the application continues."""
    with open_microvm([], *options(kind), HOOKS=what) as microvm:
        assert microvm.build(*hooks) == statuses
        microvm.wait_log(said)
        assert microvm.process.poll() is None


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
@pytest.mark.parametrize("token", ["", "0" * 32, "\xe9"])
def test_clients(kind, token):
    """A client without the token calls no hook."""
    with open_microvm([], *options(kind)) as microvm:
        microvm.build("ready")
        for path in PATHS:
            connection = HTTPConnection("127.0.0.1", microvm.app, timeout=20)
            connection.request("POST", path, headers={"X-MicroVM-Hook-Token": token})
            assert connection.getresponse().status == 200  # the application's own
            connection.close()
        microvm.wait_log(PATHS[1])

    assert notes(microvm)[-2:] == list(PATHS)
    assert not [note for note in notes(microvm) if note.startswith("after, ")]


def test_random_numbers():
    """MicroVMs of one image do not share their random numbers."""
    drawn = []
    for _ in range(2):
        with open_microvm([], *options("wsgi")) as microvm:
            microvm.build("ready")
            assert microvm.hook("run") == 200
            drawn.append(microvm.get("/random"))

    assert drawn[0] != drawn[1]


def test_a_factory(tmp_path):
    """An application that a factory makes has its hooks called."""
    (tmp_path / "made.py").write_text(
        "def make():\n    from snapshot_app import wsgi\n    return wsgi\n"
    )
    name = ["--app-dir", PROGRAMS, "--wsgi", "made:make()"]
    with open_microvm([], *name, PYTHONPATH=str(tmp_path)) as microvm:
        microvm.build("ready")
        assert microvm.hook("run") == 200
        microvm.wait_log("after, restored first")


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_requests_pass(kind):
    """Requests and the lifespan reach the application as without the hooks."""
    attribute = {"asgi": "app", "wsgi": "wsgi"}[kind]
    with open_microvm([], *options(kind, f"microvm_app:{attribute}")) as microvm:
        microvm.build("ready")
        microvm.get("/page?a=b")
        paths = [each["path"] for each in json.loads(microvm.get("/seen"))]

    assert "/page" in paths


@pytest.mark.e2e
@pytest.mark.parametrize("is_unpacked", [False, True], ids=["archive", "unpacked"])
@pytest.mark.parametrize(
    "spelling", ["--microvm-hooks {hooks}", "--microvm-hooks={hooks}"]
)
@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_the_zipapp(kind, spelling, is_unpacked, tmp_path):
    """The zipapp takes ``--microvm-hooks`` before ``--asgi``, and calls the hooks."""
    bin_folder = os.path.dirname(sys.executable)
    environ = {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "SHIV_ROOT": str(tmp_path),
        "AWS_LWA_MICROVM_HOOKS_PORT": "",
    }
    if is_unpacked:
        subprocess.run([BOOTSTRAP, "--version"], env=environ, check=True)
    command = [str(BOOTSTRAP), *spelling.split(), *options(kind)]

    with open_microvm(command, adapter=(), **environ) as microvm:
        assert microvm.build("ready", "run") == [200, 200]
        microvm.wait_log("after, restored first")
        assert microvm.hook("terminate") == 200


@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_the_option_comes_first(kind):
    """``--microvm-hooks`` may precede ``--asgi`` or follow it."""
    command = ["--microvm-hooks", "{hooks}", *options(kind)]
    with open_microvm(command, AWS_LWA_MICROVM_HOOKS_PORT="") as microvm:
        assert microvm.build("ready", "run") == [200, 200]
        microvm.wait_log("after, restored first")

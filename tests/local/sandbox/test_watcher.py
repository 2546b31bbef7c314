"""What the watcher hears of."""

import sys
from pathlib import Path

import pytest

from lambda_adapter.local.sandbox.attempts import Bind, Connect
from tests.local.sandbox.confined import confined

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="Linux has sandboxes"),
    pytest.mark.usefixtures("unmeasured"),
]


def test_attempts_have_names(tmp_path: Path):
    """A write is recorded with its absolute path and its process."""
    program = (
        "import os\n"
        "for what in (lambda: open('relative', 'w'), lambda: os.mkdir('made'),\n"
        "             lambda: os.rename('a', 'b'), lambda: os.remove('c'),\n"
        "             lambda: os.open('d', os.O_CREAT, dir_fd=os.open('.', 0))):\n"
        "    try: what()\n"
        "    except OSError: pass\n"
    )

    with confined(program, tmp_path) as sandbox:
        sandbox.output()
        writes = sandbox.jail.attempts.elsewhere()

    names = [str(Path(each.path).relative_to(tmp_path)) for each in writes]
    assert names == ["relative", "made", "a", "c", "d"]
    assert len({each.by for each in writes}) == 1


def test_a_link_to_tmp_leads_to_tmp(tmp_path: Path):
    """A write through a link to /tmp is not recorded, and one to a link's folder is."""
    (tmp_path / "cache").symlink_to("/tmp")
    (tmp_path / "inner").mkdir()
    (tmp_path / "here").symlink_to("inner")
    program = (
        "open('cache/page', 'w')\n"
        "try: open('here/page', 'w')\n"
        "except OSError: print('refused')\n"
    )

    with confined(program, tmp_path) as sandbox:
        output = sandbox.output()
        writes = sandbox.jail.attempts.elsewhere()

    assert output == "refused\n"
    assert [each.path for each in writes] == [str(tmp_path / "here/page")]


def test_addresses_are_heard_of(tmp_path: Path):
    """Addresses that a process listens at or connects to are recorded."""
    program = (
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname())\n"
        "print(server.getsockname()[1])\n"
    )

    with confined(program, tmp_path) as sandbox:
        port = int(sandbox.output())
        attempts = sandbox.jail.attempts

    assert [(b.host, b.port) for b in attempts.binds] == [("127.0.0.1", 0)]
    assert [(c.host, c.port) for c in attempts.connects] == [("127.0.0.1", port)]
    assert isinstance(next(iter(attempts.binds)), Bind)
    assert isinstance(next(iter(attempts.connects)), Connect)


def test_harmless_writes_are_left_out(tmp_path: Path):
    """Writes to devices, bytecode and /tmp are not recorded."""
    program = (
        "import os\n"
        "open('/dev/null', 'w')\n"
        "open('/tmp/x', 'w')\n"
        "try: os.mkdir('__pycache__')\n"
        "except OSError: pass\n"
    )

    with confined(program, tmp_path) as sandbox:
        sandbox.output()
        writes = sandbox.jail.attempts.writes

    assert list(writes) == []

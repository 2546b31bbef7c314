"""``procfs``: processes and listening sockets, as Linux's /proc lists them."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from lambda_adapter.app.procfs import (
    ENDED,
    find_listeners,
    is_accepted,
    list_processes,
    parse_listening,
    parse_stat,
    read_proc,
)

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 132085 1 0000000015662f32 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1152 1 00000000972360b8 100 0 0 10 0
   2: 0100007F:DCEA 0100007F:9247 06 00000000:00000000 03:00001222 00000000     0        0 0 3 00000000d04cda04
   3: 0100007F:1F90 0100007F:9248 01 00000000:00000000 00:00000000 00000000     0        0 77 1 00000000d04cda05
"""  # noqa: E501
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 8 1 000000007e87d61b 100 0 0 10 0
   1: 00000000000000000000000000000000:FFFF 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9 1 000000007e87d61b 100 0 0 10 0
   2: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 10 1 000000007e87d61b 100 0 0 10 0
"""  # noqa: E501

LISTEN = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
"""
IN_ANOTHER_SESSION = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]], start_new_session=True)
"""
ORPHAN = """
import subprocess, sys
inner = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]])"
subprocess.run([sys.executable, "-c", inner, sys.argv[1]])
sys.stdin.read()
"""


@contextmanager
def started(*codes):
    """Start a program as a group, until its input ends; gives its pid and its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", *codes],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        process_group=0,
    )
    try:
        assert process.stdout
        yield process.pid, int(process.stdout.readline())
    finally:
        process.communicate(timeout=10)


@pytest.mark.parametrize(
    ("table", "listening"),
    [
        ("", {}),
        (TCP, {132085: ("127.0.0.1", 8080), 1152: ("0.0.0.0", 80)}),
        (TCP6, {8: ("::1", 3000), 9: ("::", 65535), 10: ("::ffff:127.0.0.1", 8080)}),
    ],
    ids=["empty", "IPv4", "IPv6"],
)
def test_parse_listening(table, listening):
    """Only listening sockets of Linux's table are read, by their inode."""
    assert parse_listening(table) == listening


@pytest.mark.parametrize(
    "codes",
    [[LISTEN], [IN_ANOTHER_SESSION, LISTEN], [ORPHAN, LISTEN]],
    ids=["itself", "a descendant", "one of its group"],
)
def test_find_listeners(codes):
    """The ports of a process, its descendants and its group are found."""
    with socket.create_server(("127.0.0.1", 0)), started(*codes) as (pid, port):
        assert find_listeners(pid) == [("127.0.0.1", port)]


def test_find_listeners_of_ipv6():
    """IPv6 addresses are found as well, in order, each of them once."""
    with (
        socket.create_server(("::1", 0), family=socket.AF_INET6) as six,
        socket.create_server(("127.0.0.1", 0)) as four,
        os.fdopen(os.dup(six.fileno())),
    ):
        found = find_listeners(os.getpid())
        ports = {six.getsockname()[1]: "::1", four.getsockname()[1]: "127.0.0.1"}
        mine = [(host, port) for host, port in found if port in ports]

    assert mine == [(ports[port], port) for port in sorted(ports)]


def test_find_listeners_of_none():
    """A process that has gone listens on nothing."""
    process = subprocess.Popen(["true"])
    process.wait()

    assert find_listeners(process.pid) == []


@pytest.mark.parametrize("command", ["python", "a b", ") R 1 1 (", "\n", ""])
def test_parse_stat(command):
    """A process's parent and group are found, whatever its name."""
    stat = parse_stat(f"40 ({command}) S 30 20 10 0 -1 4194560")

    assert (stat.parent, stat.group) == (30, 20)
    assert (stat.pid, stat.state) == (40, "S")


def test_list_processes():
    """Processes are listed with their parents and groups, zombies as well."""
    with subprocess.Popen(["true"], process_group=0) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        found = {each.pid: each for each in list_processes()}

        assert found[os.getpid()].group == os.getpgid(0)
        zombie = found[process.pid]
        assert (zombie.parent, zombie.group) == (os.getpid(), process.pid)
        assert zombie.state in ENDED


def test_is_accepted():
    """A connection is in the table without an inode until the server accepts it."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        ports = server.getsockname()[1], client.getsockname()[1]
        before = is_accepted(read_proc("net/tcp"), *ports)
        accepted, _ = server.accept()
        with accepted:
            after = is_accepted(read_proc("net/tcp"), *ports)

    assert (before, after) == (False, True)
    assert is_accepted(TCP, 1, 2)  # elsewhere

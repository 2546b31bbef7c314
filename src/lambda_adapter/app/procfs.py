"""Read Linux's ``/proc``: processes, and the sockets that they listen on.

https://man7.org/linux/man-pages/man5/proc.5.html
"""

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import NamedTuple

ENDED = frozenset({"Z", "X"})
"""States of a process that no longer runs: a zombie, or one that is exiting."""


class ProcessStat(NamedTuple):
    """The first columns of /proc/PID/stat."""

    pid: int
    state: str
    parent: int
    group: int


def list_processes() -> Iterator[ProcessStat]:
    """Yield all visible processes; none without /proc.

    This takes milliseconds, so it is used only when the application exits, or when
    something is wrong.
    """
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in filter(str.isdigit, names):
        try:
            stat = read_proc(f"{name}/stat")
        except OSError:  # it has just ended
            continue
        yield parse_stat(stat)


def find_relatives(pid: int) -> list[ProcessStat]:
    """Return a process, the members of its group, and all their descendants."""
    processes = list(list_processes())
    found = {pid} | {each.pid for each in processes if each.group == pid}
    while new := {each.pid for each in processes if each.parent in found} - found:
        found |= new
    return [each for each in processes if each.pid in found]


def has_children(pid: int) -> bool:
    """Return whether a process has children, or had some, as far as that can be seen.

    The page faults of children that it has waited for are in its own entry.
    """
    try:
        stat = read_proc(f"{pid}/stat")
    except OSError:
        return False
    of_children = stat.rpartition(")")[2].split()[8]
    return of_children != "0" or any(each.parent == pid for each in list_processes())


def parse_stat(stat: str) -> ProcessStat:
    """Parse /proc/PID/stat.

    The name is in parentheses, and may hold parentheses, spaces and line breaks:
    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    pid, _, _ = stat.partition(" ")
    state, parent, group, *_ = stat.rpartition(")")[2].split()
    return ProcessStat(int(pid), state, int(parent), int(group))


def read_proc(name: str) -> str:
    """Return the content of a file of /proc.

    Raises:
        OSError: there is no such file.
    """
    with open(f"/proc/{name}", encoding="utf-8", errors="replace") as file:
        return file.read()


Listener = tuple[str, int]
"""The host and the port that a process listens on."""

_LISTENING = "0A"
"""https://docs.kernel.org/networking/proc_net_tcp.html"""


def find_listeners(pid: int) -> list[Listener]:
    """Return where a process, its group and their descendants listen, ordered by port.

    Processes of other users are left out.

    Raises:
        OSError: this system has no table of sockets.
    """
    listening = parse_listening(read_proc("net/tcp"))
    with contextlib.suppress(OSError):  # no IPv6
        listening |= parse_listening(read_proc("net/tcp6"))
    inodes = {
        inode
        for relative in find_relatives(pid)
        for inode in find_sockets(relative.pid)
    }
    found = {listening[inode] for inode in listening.keys() & inodes}
    return sorted(found, key=lambda listener: listener[::-1])


def parse_listening(table: str) -> dict[int, Listener]:
    """Return the listening sockets in /proc/net/tcp or /proc/net/tcp6, by inode.

    https://docs.kernel.org/networking/proc_net_tcp.html
    """
    listening: dict[int, Listener] = {}
    for line in table.splitlines()[1:]:
        _, local, _, state, _, _, _, _, _, inode, *_ = line.split()
        if state == _LISTENING:
            address, _, port = local.partition(":")
            listening[int(inode)] = _ip_address(address), int(port, 16)
    return listening


def is_accepted(table: str, server: int, client: int) -> bool:
    """Return whether a server has accepted a connection, by the ports of both ends.

    In /proc/net/tcp, one that waits to be accepted has no inode yet. A connection that
    is not in the table counts as accepted.
    """
    for line in table.splitlines()[1:]:
        _, here, there, _, _, _, _, _, _, inode, *_ = line.split()
        ports = int(here.rpartition(":")[2], 16), int(there.rpartition(":")[2], 16)
        if ports == (server, client):
            return inode != "0"
    return True


def _ip_address(digits: str) -> str:
    # The kernel prints words of four bytes in host byte order: little-endian on Lambda.
    raw = bytes.fromhex(digits)
    packed = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, packed)


def find_sockets(pid: int) -> set[int]:
    """Return the inodes of a process's sockets, if this process may read them."""
    folder = f"/proc/{pid}/fd"
    inodes: set[int] = set()
    with contextlib.suppress(OSError):  # it has just ended, or is another user's
        for number in os.listdir(folder):
            with contextlib.suppress(OSError):  # just closed
                kind, _, inode = os.readlink(f"{folder}/{number}").partition(":")
                if kind == "socket":
                    inodes.add(int(inode.strip("[]")))
    return inodes

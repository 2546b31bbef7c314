"""Observe system calls that write, listen or connect.

The kernel stops the caller until this thread has read the call; then the call continues
as usual (SECCOMP_USER_NOTIF_FLAG_CONTINUE, Linux 5.5). So this only observes; the other
parts of the sandbox enforce.
https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html
"""

import contextlib
import fcntl
import os
import select
import socket
import struct
import threading

from lambda_adapter.local.sandbox import syscalls
from lambda_adapter.local.sandbox.attempts import (
    Attempts,
    Bind,
    Connect,
    Privilege,
    Write,
    normal,
)
from lambda_adapter.local.sandbox.seccomp import NAMES, PRIVILEGED

_RECEIVE, _SEND = 0xC050_2100, 0xC018_2101
"""SECCOMP_IOCTL_NOTIF_RECV and _SEND, with the sizes of their structures."""

_NOTIFICATION = struct.Struct("=QIIiIQ6Q")
"""id, pid, flags; then seccomp_data: number, architecture, address, arguments."""

_CONTINUE = 1
_AT_FDCWD = 0xFFFF_FF9C
_PATH_MAX = 4_096
_NUMBERS = {"open": 0, "creat": 0, "mkdir": 0, "unlink": 0, "rename": 0}
"""Calls whose path is relative to the working directory, and the path's argument."""


class Watcher(threading.Thread):
    """Reads the kernel's notifications until the last watched process has ended."""

    def __init__(self, listener: int, attempts: Attempts) -> None:
        super().__init__(name="lambda-adapter sandbox watcher", daemon=True)
        self._listener = listener
        self._attempts = attempts
        self._names = NAMES[syscalls.machine()]

    def run(self) -> None:
        """Record each call, and let it continue."""
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        try:
            while True:
                ((_, events),) = poll.poll()
                if not events & select.POLLIN:
                    return  # nobody is left to watch
                self._take()
        finally:
            os.close(self._listener)

    def _take(self) -> None:
        buffer = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self._listener, _RECEIVE, buffer)
        except OSError:  # the caller was killed, or stopped, meanwhile
            return
        number, pid, _, call, _, _, *arguments = _NOTIFICATION.unpack(buffer)
        with contextlib.suppress(OSError, ValueError):  # it has ended: nobody to ask
            self._note(pid, self._names.get(call, ""), arguments)
        reply = struct.pack("=QqiI", number, 0, 0, _CONTINUE)
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._listener, _SEND, reply)

    def _note(self, pid: int, name: str, arguments: list[int]) -> None:
        if name in ("bind", "connect"):
            self._note_address(pid, name, arguments)
            return
        if name in PRIVILEGED:
            self._attempts.add(Privilege(name, _command(pid)))
            return
        relative = name in _NUMBERS
        path = _read_path(pid, arguments[0 if relative else 1])
        base = None if relative else arguments[0] & 0xFFFF_FFFF
        if not path:  # glibc's sem_open, where it finds no name in /dev/shm
            self._attempts.add(Write("/dev/shm/sem", _command(pid)))
            return
        if name == "openat2" and not _writes(pid, arguments[2]):
            return
        self._attempts.add(Write(_resolve_path(pid, base, path), _command(pid)))

    def _note_address(self, pid: int, name: str, arguments: list[int]) -> None:
        address = _read_memory(pid, arguments[1], min(arguments[2] & 0xFFFF, 128))
        host, port = _host_and_port(address)
        if not host:
            return
        if name == "bind":
            self._attempts.add(Bind(host, port, _command(pid)))
        else:
            self._attempts.add(Connect(host, port, _command(pid)))


def _writes(pid: int, how: int) -> bool:
    (flags,) = struct.unpack("=Q", _read_memory(pid, how, 8))
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _read_memory(pid: int, address: int, length: int) -> bytes:
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        return memory.read(length)


def _read_path(pid: int, address: int) -> str:
    """Return a NUL-terminated text; the memory page after it may be unmapped."""
    page = 4_096
    data = _read_memory(pid, address, page - address % page)
    if b"\0" not in data:
        data += _read_memory(pid, address + len(data), _PATH_MAX)
    return os.fsdecode(data.partition(b"\0")[0])


def _resolve_path(pid: int, base: int | None, path: str) -> str:
    if not path.startswith("/"):
        link = "cwd" if base in (None, _AT_FDCWD) else f"fd/{base}"
        path = f"{os.readlink(f'/proc/{pid}/{link}')}/{path}"
    return normal(path)


def _command(pid: int) -> str:
    with open(f"/proc/{pid}/comm") as file:
        return file.read().strip()


def _host_and_port(address: bytes) -> tuple[str, int]:
    """Return host and port of an internet address; "" for any other."""
    if len(address) < 8:
        return "", 0
    family, port = struct.unpack("=H", address[:2])[0], address[2] << 8 | address[3]
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, address[4:8]), port
    if family == socket.AF_INET6 and len(address) >= 24:
        return socket.inet_ntop(socket.AF_INET6, address[8:24]), port
    return "", 0

"""Ask Linux for the sockets that listen, as ``ss`` does.

/proc/net/tcp has them as well, but to write it the kernel walks the whole table of
connections: 15 ms of CPU on a machine with 24 GB of memory, each time that somebody
looks whether an application listens. https://man7.org/linux/man-pages/man7/sock_diag.7.html
"""

import errno
import os
import socket
import struct
import sys

import msgspec

_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY = 4, 20
_REQUEST_DUMP = 0x301
_ERROR, _DONE = 2, 3
_LISTEN = 10
"""Numbers of linux/netlink.h, linux/sock_diag.h and net/tcp_states.h."""

_HEADER = struct.Struct("=IHHII")
"""``nlmsghdr``: length, type, flags, sequence number, port."""

_REQUEST = struct.Struct("=BBBxI48x")
"""``inet_diag_req_v2``: family, protocol, extensions, states; no address."""

_PLACE = struct.Struct(">4xH2x16s")
"""The beginning of ``inet_diag_msg``: local port and address, in network byte order."""

_QUEUE = struct.Struct("=56xI8xI")
"""Its end: the connections that wait to be accepted, and the inode."""


class ListeningSocket(msgspec.Struct, frozen=True):
    """A TCP socket that listens."""

    host: str
    port: int
    waiting: int
    """Connections that wait to be accepted."""


def listening_sockets() -> dict[int, ListeningSocket]:
    """Return the TCP sockets that listen, by inode.

    Raises:
        OSError: this system does not tell.
    """
    if sys.platform != "linux":
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    found: dict[int, ListeningSocket] = {}
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(
            socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG
        ) as netlink:
            body = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 1 << _LISTEN)
            size = _HEADER.size + len(body)
            header = _HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 0, 0)
            netlink.settimeout(1)
            netlink.send(header + body)
            while _add(found, family, netlink.recv(65_536)):
                pass
    return found


def _add(
    found: dict[int, ListeningSocket], family: socket.AddressFamily, messages: bytes
) -> bool:
    """Add the sockets in messages; return whether there are more to come."""
    while messages:
        size, kind, *_ = _HEADER.unpack_from(messages)
        body, messages = messages[_HEADER.size : size], messages[(size + 3) & ~3 :]
        if kind == _DONE:
            return False
        if kind == _ERROR:
            number = -int.from_bytes(body[:4], sys.byteorder, signed=True)
            raise OSError(number, os.strerror(number))
        port, address = _PLACE.unpack_from(body)
        waiting, inode = _QUEUE.unpack_from(body)
        packed = address[:4] if family is socket.AF_INET else address
        host = socket.inet_ntop(family, packed)
        found[inode] = ListeningSocket(host, port, waiting)
    return True

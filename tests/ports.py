"""Ports for the servers of tests.

The kernel gives ports from 32,768 on to outgoing connections, and to whoever asks for
any port. Another process could get such a port after it was found free, and before the
server that it is for listens. So these are below, and each process begins elsewhere.

https://docs.kernel.org/networking/ip-sysctl.html (ip_local_port_range)
"""

import itertools
import random
import socket

PORTS = range(10_000, 32_768)

_start = random.randrange(len(PORTS))
_candidates = itertools.cycle([*PORTS[_start:], *PORTS[:_start]])


def free_ports(count: int) -> list[int]:
    """Return TCP ports that nobody uses, all different."""
    return list(itertools.islice(filter(_is_free, _candidates), count))


def free_port() -> int:
    """Return a TCP port that nobody uses."""
    return free_ports(1)[0]


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind(("", port))
        except OSError:
            return False
    return True

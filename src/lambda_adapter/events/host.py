"""The ``Host`` of a request. Core: no I/O."""

import re
from collections.abc import Sequence

from lambda_adapter.errors import EventError
from lambda_adapter.http.known import remember

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(:[0-9]*)?")
"""https://www.rfc-editor.org/rfc/rfc9110#section-7.2"""

_known_hosts: dict[bytes, bytes] = {}


def one_host(hosts: Sequence[bytes], default: bytes) -> bytes:
    """Return the one valid Host: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.

    Raises:
        EventError: there are several, or it is invalid.
    """
    if len(hosts) > 1:
        raise EventError("more than one Host header")
    host = (hosts[0].strip() if hosts else b"") or default
    if host in _known_hosts:
        return host
    if not _HOST.fullmatch(host):
        raise EventError("invalid Host header")
    return remember(_known_hosts, host, host)

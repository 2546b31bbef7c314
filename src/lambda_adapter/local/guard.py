"""Refuse requests to `local` from web pages of other sites.

A browser lets any page send requests to 127.0.0.1. Two headers reveal such a page:
``Origin`` and, after DNS rebinding, a ``Host`` with the page's own name. A name can be
made to resolve to 127.0.0.1, but an IP address in ``Host`` can't be forged that way:
https://github.com/advisories/GHSA-vg6x-rcgg-rjx6 (Vite's CVE-2025-24010).
"""

import ipaddress
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

OPTION = "--allowed-hosts"


class Guard:
    """Allows the names of this machine, and the names that are given.

    ``*`` allows every host, ``.example.com`` a domain and its subdomains.
    """

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self._allowed = [name.lower() for name in allowed]

    def refuses_host(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """Return the request's host if it is refused, else ""."""
        for value in _header_values(headers, b"host"):
            if not self._is_own(_host_of(f"//{value}")) and not self._is_allowed(value):
                return value
        return ""

    def refuses_origin(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """Return the origin of a page that may not invoke the function, else "".

        The pages of this server may.
        """
        headers = list(headers)
        hosts = _header_values(headers, b"host")
        for origin in _header_values(headers, b"origin"):
            is_own = origin.partition("://")[2] in hosts
            if not is_own and not self._is_allowed(origin.partition("://")[2]):
                return origin
        return ""

    def _is_allowed(self, host: str) -> bool:
        name = _host_of(f"//{host}")
        return any(
            allowed == "*"
            or name == allowed.removeprefix(".")
            or (allowed.startswith(".") and name.endswith(allowed))
            for allowed in self._allowed
        )

    def _is_own(self, name: str) -> bool:
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _header_values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    return [
        value.decode("latin-1").strip()
        for each, value in headers
        if each.lower() == name and value.strip()
    ]

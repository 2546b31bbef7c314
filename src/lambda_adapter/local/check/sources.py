"""Where the requests of a check come from: files, a URL, or the application itself."""

import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from lambda_adapter.local.check.rules.openapi import (
    SourceError,
    read_har,
    read_openapi,
    read_paths,
)
from lambda_adapter.local.check.settings import Target

TIMEOUT = 10.0
"""Seconds for an OpenAPI document at a URL."""

MAX_DOCUMENT = 16_777_216
"""Bytes of a document that are read."""

_SCHEMES = ("http://", "https://")


def read_sources(named: Mapping[str, str | None]) -> tuple[Target, ...]:
    """Return the requests that the sources of the options name.

    Args:
        named: a file, or for ``openapi`` a file or URL, by the option's name:
            ``paths``, ``openapi`` or ``har``.

    Raises:
        SourceError: a source can't be read.
    """
    readers: Mapping[str, Callable[[bytes], list[Target]]] = {
        "paths": lambda content: read_paths(content.decode("utf-8-sig", "replace")),
        "openapi": read_openapi,
        "har": read_har,
    }
    targets: list[Target] = []
    for name, read in readers.items():
        source = named.get(name)
        if source and not (name == "openapi" and is_of_application(source)):
            targets += read(_load_source(source))
    return tuple(targets)


def is_of_application(source: str) -> bool:
    """Return whether a source is a path that the application itself is to be asked."""
    return source.startswith("/") and not Path(source).exists()


def _load_source(source: str) -> bytes:
    if source.startswith(_SCHEMES):
        return _fetch_source(source)
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise SourceError(f"{source}: {error.strerror}") from error


def _fetch_source(url: str) -> bytes:
    """Return the document at a URL, by HTTP and HTTPS alone."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    try:
        with opener.open(url, timeout=TIMEOUT) as response:
            return bytes(response.read(MAX_DOCUMENT))
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise SourceError(
            f"{url}: {reason}; if the document is the application's own, name its path,"
            " such as --openapi /openapi.json"
        ) from error

"""Read requests from a file: a list of paths, an OpenAPI document, or a HAR."""

import re
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import msgspec

from lambda_adapter.local.check.rules.crawl import is_safe
from lambda_adapter.local.check.settings import Target

SAFE = ("GET", "HEAD")


class SourceError(Exception):
    """A file of requests can't be read; the message is one line."""


class _Schema(msgspec.Struct):
    example: str | int | None = None
    default: str | int | None = None
    enum: list[str | int] = []


class _Parameter(msgspec.Struct):
    name: str = ""
    example: str | int | None = None
    schema: _Schema = msgspec.field(default_factory=_Schema)
    place: str = msgspec.field(default="", name="in")
    required: bool = False


class _Operation(msgspec.Struct):
    parameters: list[_Parameter] = []


class _OpenApi(msgspec.Struct):
    paths: dict[str, dict[str, msgspec.Raw]] = {}


class _HarRequest(msgspec.Struct):
    method: str = "GET"
    url: str = ""


class _HarEntry(msgspec.Struct):
    request: _HarRequest


class _HarLog(msgspec.Struct):
    entries: list[_HarEntry] = []


class _Har(msgspec.Struct):
    log: _HarLog


def read_paths(text: str) -> list[Target]:
    """Read one path per line, with an optional method before; # is a comment.

    Raises:
        SourceError: a line is not a path.
    """
    targets: list[Target] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        method, path = ("GET", words[0]) if len(words) == 1 else (words[0], words[1])
        if not path.startswith("/") or not method.isalpha():
            raise SourceError(
                f"line {number} is not a path: {line.strip()[:80]!r};"
                " expected /path, or METHOD /path"
            )
        targets.append(Target(path, method.upper()))
    return targets


def read_openapi(document: bytes) -> list[Target]:
    """Read an OpenAPI document's GET operations whose parameters have values.

    Raises:
        SourceError: it is not an OpenAPI document.
    """
    try:
        paths = msgspec.json.decode(document, type=_OpenApi).paths
    except msgspec.DecodeError as error:
        raise SourceError(f"not an OpenAPI document in JSON: {error}") from error
    return [Target(path) for path in _get_paths(paths)]


def _get_paths(paths: dict[str, dict[str, msgspec.Raw]]) -> Iterator[str]:
    for path, operations in paths.items():
        if "get" not in operations:
            continue
        try:
            get = msgspec.json.decode(operations["get"], type=_Operation)
        except msgspec.DecodeError:
            continue
        if any(each.required and each.place != "path" for each in get.parameters):
            continue
        for each in get.parameters:
            if each.place == "path" and (value := _example_value(each)) is not None:
                path = path.replace(f"{{{each.name}}}", quote(str(value), safe=""))
        if not re.search(r"[{}]", path):
            yield path


def _example_value(parameter: _Parameter) -> str | int | None:
    """Return a parameter's value from the document itself, or None."""
    schema = parameter.schema
    named = (parameter.example, schema.example, schema.default, *schema.enum)
    return next((each for each in named if each is not None), None)


def read_har(document: bytes) -> list[Target]:
    """Read the paths of a HAR's GET and HEAD requests: no headers, which hold secrets.

    An archive has the requests to every host that a page needs: those to the host of
    the first one, which is the page itself, are the application's.

    Raises:
        SourceError: it is not one.
    """
    try:
        entries = msgspec.json.decode(document, type=_Har).log.entries
    except msgspec.DecodeError as error:
        raise SourceError(f"not a HAR: {error}") from error
    found: dict[tuple[str, str], Target] = {}
    own = urlsplit(entries[0].request.url).netloc.rpartition("@")[2] if entries else ""
    for entry in entries:
        url = urlsplit(entry.request.url)
        method = entry.request.method.upper()
        if url.netloc.rpartition("@")[2] != own:
            continue
        if method in SAFE and url.path and is_safe(url.path):
            # Headers and queries may hold secrets, so only paths are requested and
            # shown.
            found[method, url.path] = Target(url.path, method)
    return list(found.values())

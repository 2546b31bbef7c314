"""Rewrite requests as the settings require: prefixes, headers, closed paths."""

from collections.abc import Sequence

import msgspec

from lambda_adapter.app.app import Call, Middleware, Transport
from lambda_adapter.app.middleware.stage import find_stage
from lambda_adapter.closed_paths import ClosedPath, reached
from lambda_adapter.config import Config
from lambda_adapter.errors import ClosedPathError
from lambda_adapter.events.event import Event
from lambda_adapter.events.headers import REQUEST_CONTEXT
from lambda_adapter.http.messages import Request, Response, folded
from lambda_adapter.setting_parsers import AUTO

PREFIX_FIELD = b"x-forwarded-prefix"
"""The header in which proxies state the prefix that they removed. Spring reads it:
https://docs.spring.io/spring-framework/reference/web/webmvc/filters.html"""


class Rewrite(Middleware):
    """Rewrites requests as the settings require."""

    def __init__(self, transport: Transport, config: Config) -> None:
        super().__init__(transport)
        self._config = config

    async def send(self, request: Request, call: Call) -> Response:
        """Send the rewritten request.

        Raises:
            ClosedPathError: its path is not for clients.
        """
        request = rewrite(request, self._config, call.event)
        return await self._transport.send(request, call)


def rewrite(request: Request, config: Config, event: Event | None = None) -> Request:
    """Return the rewritten request; ``event`` is the event that it was made of.

    Raises:
        ClosedPathError: its path is not for clients.
    """
    in_process = config.is_in_process
    if config.remove_base_path == AUTO:
        request = without_stage(request, event, keeps_empty=in_process)
    elif config.remove_base_path:
        path = config.remove_base_path.encode()
        request = without_base_path(request, path, keeps_empty=in_process)
    if config.authorization_source:
        request = renamed(
            request, config.authorization_source.encode(), b"authorization"
        )
    for old, new in config.renamed_headers or ():
        request = renamed(request, old.encode(), new.encode())
    if not config.request_context:
        request = without_request_context(request)
    if config.hooks:
        refuse_hooks(request, config.hooks)
    return request


def refuse_hooks(request: Request, hooks: Sequence[ClosedPath]) -> None:
    """Refuse a client's request for a path that only the adapter may call.

    Raises:
        ClosedPathError: an application may take the path for one of these.
    """
    path = request.target.partition(b"?")[0]
    if hook := reached(path, hooks):
        raise ClosedPathError(
            f"it was refused: it may reach the hook /{'/'.join(hook)}, which only the"
            " adapter may call"
        )


def without_base_path(
    request: Request, prefix: bytes, *, keeps_empty: bool = False
) -> Request:
    """Remove a prefix of whole segments from the path, once.

    ``X-Forwarded-Prefix`` has the prefix, so that the application can build links. That
    header is removed from a client's own request.
    """
    return _without_prefix(request, prefix, prefix, keeps_empty)


def without_stage(
    request: Request, event: Event | None, *, keeps_empty: bool = False
) -> Request:
    """Remove API Gateway's stage from the path, as ``without_base_path`` does.

    ``X-Forwarded-Prefix`` has the stage only if the client's URL has it.
    """
    stage, told = find_stage(event)
    return _without_prefix(request, stage, told, keeps_empty)


def _without_prefix(
    request: Request, prefix: bytes, told: bytes, keeps_empty: bool
) -> Request:
    """Remove a prefix from the path; ``told`` is what the client's URL has instead.

    A path that equals the prefix becomes ``/``, which a request line needs, or empty
    with ``keeps_empty``, so that ``/api`` and ``/api/`` remain different URLs.
    """
    fields = [(n, v) for n, v in request.fields if folded(n) != PREFIX_FIELD]
    path, mark, query = request.target.partition(b"?")
    rest = path.removeprefix(prefix)
    if prefix and (rest == path or rest[:1] not in {b"", b"/"}):
        return msgspec.structs.replace(request, fields=fields)
    if told:
        fields.append((PREFIX_FIELD, told))
    if not (rest or (told and keeps_empty)):
        rest = b"/"
    target = rest + mark + query
    return msgspec.structs.replace(request, target=target, fields=fields)


def renamed(request: Request, old: bytes, new: bytes) -> Request:
    """Rename a header, replacing any that had the new name.

    This is for ``Authorization``, for example, which API Gateway and function URLs with
    IAM use themselves. Without a header of the old name, nothing changes. All headers
    that a server may take for the new name are replaced, such as ``X_A`` for ``x-a``.
    """
    if old == new or all(name.lower() != old for name, _ in request.fields):
        return request
    taken = folded(new)
    fields = [
        (new if name.lower() == old else name, value)
        for name, value in request.fields
        if name.lower() == old or folded(name) != taken
    ]
    return msgspec.structs.replace(request, fields=fields)


def without_request_context(request: Request) -> Request:
    """Remove the header with ``requestContext``, for servers that limit headers."""
    fields = [field for field in request.fields if field[0] != REQUEST_CONTEXT]
    return msgspec.structs.replace(request, fields=fields)

"""What settings make of a request, on its way from the event to the application."""

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
from lambda_adapter.parsers import AUTO

PREFIX_FIELD = b"x-forwarded-prefix"
"""The field in which proxies tell what they took off the path. Spring reads it:
https://docs.spring.io/spring-framework/reference/web/webmvc/filters.html"""


class Rewrite(Middleware):
    """Rewrites requests as the settings want them."""

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
    """Return the request as the settings want it; ``event`` is what it came of.

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
    """Refuse a client's request for what only the adapter may call.

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
    """Take a prefix off the path: once, and only whole segments of it.

    The application is told in ``X-Forwarded-Prefix``, so that it can make links. A
    client can't say so itself.
    """
    return _without_prefix(request, prefix, prefix, keeps_empty)


def without_stage(
    request: Request, event: Event | None, *, keeps_empty: bool = False
) -> Request:
    """Take API Gateway's stage off the path, and tell the application that of the URL.

    It is told in ``X-Forwarded-Prefix`` as well, and no client can say so itself.
    """
    stage, told = find_stage(event)
    return _without_prefix(request, stage, told, keeps_empty)


def _without_prefix(
    request: Request, prefix: bytes, told: bytes, keeps_empty: bool
) -> Request:
    """Take a prefix off the path, and tell what the client's URL has in its place.

    A path that is the prefix alone becomes ``/``, without which there is no request
    line, or stays empty where it ``keeps_empty``: ``/api`` and ``/api/`` are two URLs.
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
    """Rename a field, in place of what had the new name.

    API Gateway and function URLs with IAM keep ``Authorization`` for themselves, for
    example. Without a field of the old name, the request stays as it is. Whatever a
    server may take for the new name is replaced, ``X_A`` for ``x-a`` as well.
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
    """Leave the event's ``requestContext`` out, for servers that limit heads."""
    fields = [field for field in request.fields if field[0] != REQUEST_CONTEXT]
    return msgspec.structs.replace(request, fields=fields)

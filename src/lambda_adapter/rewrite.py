"""What settings make of a request, on its way from the event to the application.

Core: no I/O.
"""

from collections.abc import Sequence

import msgspec

from lambda_adapter.config import Config
from lambda_adapter.errors import ClosedPathError
from lambda_adapter.messages import Request, folded
from lambda_adapter.route import canonical

PREFIX_FIELD = b"x-forwarded-prefix"
"""The field in which proxies tell what they took off the path. Spring reads it:
https://docs.spring.io/spring-framework/reference/web/webmvc/filters.html"""


def rewrite(request: Request, config: Config) -> Request:
    """Return the request as the settings want it.

    Raises:
        ClosedPathError: its path is not for clients.
    """
    if config.remove_base_path:
        request = without_base_path(request, config.remove_base_path.encode())
    if config.authorization_source:
        request = with_authorization(request, config.authorization_source.encode())
    if config.hook_paths:
        refuse_hooks(request, config.hook_paths)
    return request


def refuse_hooks(request: Request, hook_paths: Sequence[str]) -> None:
    """Let no client call what is Lambda's to call.

    Raises:
        ClosedPathError: it is one of these, in whatever spelling.
    """
    route = canonical(request.target.partition(b"?")[0])
    if any(route == canonical(path.encode()) for path in hook_paths):
        path = route.decode("latin-1")
        raise ClosedPathError(f"a client asked for {path}, which is SnapStart's hook")


def without_base_path(request: Request, prefix: bytes) -> Request:
    """Take a prefix off the path: once, and only whole segments of it.

    The application is told in ``X-Forwarded-Prefix``, so that it can make links. A
    client can't say so itself.
    """
    fields = [(n, v) for n, v in request.fields if folded(n) != PREFIX_FIELD]
    path, mark, query = request.target.partition(b"?")
    rest = path.removeprefix(prefix)
    if rest == path or rest[:1] not in {b"", b"/"}:
        return msgspec.structs.replace(request, fields=fields)
    target = (rest or b"/") + mark + query
    fields.append((PREFIX_FIELD, prefix))
    return msgspec.structs.replace(request, target=target, fields=fields)


def with_authorization(request: Request, source: bytes) -> Request:
    """Rename a field to ``Authorization``, in place of what was there.

    API Gateway and function URLs with IAM keep that field for themselves. Without the
    other one, the request stays as it is.
    """
    if all(name.lower() != source for name, _ in request.fields):
        return request
    fields = [
        (b"authorization" if name.lower() == source else name, value)
        for name, value in request.fields
        if name.lower() != b"authorization"
    ]
    return msgspec.structs.replace(request, fields=fields)

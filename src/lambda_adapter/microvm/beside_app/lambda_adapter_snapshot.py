"""An application of Python's in a MicroVM, with the hooks of AWS's own library.

A web server imports this in place of the application, which it passes requests on to.
The adapter is another process: it POSTs to a path of this module, with the token that
clients do not know, and the hooks that the application registered with
``snapshot_restore_py`` are called in the thread that serves the request. This folder is
on PYTHONPATH, and has nothing else: the adapter's own packages are not importable here.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

import hmac
import importlib
import os
import random
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypedDict

VARIABLE = "_LAMBDA_ADAPTER_MICROVM_APP"
"""The application, such as ``asgi main:app`` or ``wsgi main:make_app()``."""

BEFORE = "/.lambda-adapter/before-snapshot"
AFTER = "/.lambda-adapter/after-restore"

TOKEN_HEADER = "x-microvm-hook-token"  # noqa: S105 - the name of a header
LIBRARY = "snapshot_restore_py"


class Application(Protocol):
    """What a web server calls; or a function that an application has registered."""

    def __call__(self, *arguments: object, **keywords: object) -> object:
        """Do its work."""


StartResponse = Callable[[str, list[object]], object]
Receive = Callable[[], Awaitable[object]]
Send = Callable[[dict[str, object]], Awaitable[None]]


Hook = tuple[Application, Sequence[object], Mapping[str, object]]


class Scope(TypedDict):
    """The parts of a request's scope that are used here.

    https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope
    """

    type: str
    method: str
    path: str
    headers: list[tuple[bytes, bytes]]


def find(name: str) -> Application:
    """Import ``module:attribute``, or call the factory of ``module:factory()``."""
    module, _, path = name.partition(":")
    found: object = importlib.import_module(module)
    for attribute in path.removesuffix("()").split("."):
        found = getattr(found, attribute)
    if callable(found) and path.endswith("()"):
        found = found()
    if not callable(found):
        raise TypeError(f"{name} is a {type(found).__name__}, which can't be called")
    return found


def is_ours(method: str, path: str, token: str) -> bool:
    """Return whether a request is the adapter's, and not a client's."""
    known = os.environ.get("LAMBDA_ADAPTER_HOOK_TOKEN", "")
    is_hook = method == "POST" and path in {BEFORE, AFTER}
    return bool(is_hook and known) and hmac.compare_digest(
        token.encode("latin-1"), known.encode("latin-1")
    )


def run_hooks(path: str) -> int:
    """Call the hooks that a path is for; return 204, or 500 if one failed.

    The last one that was registered is called first before a snapshot, and last after
    one was restored. A hook may register another one.
    """
    try:
        if path == BEFORE:
            hooks = _registered_hooks("get_before_snapshot")
            while hooks:
                run_hook(hooks.pop())
        else:
            # Every MicroVM is a copy of one memory: they would share what is random.
            random.seed()
            for hook in _registered_hooks("get_after_restore"):
                run_hook(hook)
    except BaseException:  # it may call sys.exit, which is a failure too
        traceback.print_exc()
        return 500
    return 204


def _registered_hooks(which: str) -> list[Hook]:
    """Return the library's own list of hooks, if the application has imported it."""
    get: Callable[[], list[Hook]] | None = getattr(
        sys.modules.get(LIBRARY), which, None
    )
    return get() if get else []


def run_hook(hook: Hook) -> None:
    """Call a hook, and print which one failed."""
    function, arguments, keywords = hook
    try:
        function(*arguments, **keywords)
    except BaseException as error:
        name = getattr(function, "__qualname__", repr(function))
        reason = f"{type(error).__name__}: {error}"
        print(
            f"lambda-adapter: ERROR the hook {name} of {LIBRARY} failed: {reason}",
            file=sys.stderr,
        )
        raise


def wrap_asgi(
    target: Application,
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return an ASGI application that serves the adapter's requests itself."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if not (scope["type"] == "http" and _is_asgi_hook(scope)):
            result = target(scope, receive, send)
            if isinstance(result, Awaitable):
                await result
            return
        status = run_hooks(scope["path"])
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


def _is_asgi_hook(scope: Scope) -> bool:
    name = TOKEN_HEADER.encode()
    tokens = [value for each, value in scope["headers"] if each == name]
    token = tokens[0].decode("latin-1") if tokens else ""
    return is_ours(scope["method"], scope["path"], token)


def wrap_wsgi(
    target: Application,
) -> Callable[[dict[str, str], StartResponse], object]:
    """Return a WSGI application that serves the adapter's requests itself."""

    def app(environ: dict[str, str], start_response: StartResponse) -> object:
        path = environ.get("PATH_INFO", "")
        token = environ.get("HTTP_X_MICROVM_HOOK_TOKEN", "")
        if not is_ours(environ["REQUEST_METHOD"], path, token):
            return target(environ, start_response)
        status = run_hooks(path)
        said = {204: "204 No Content", 500: "500 Internal Server Error"}[status]
        start_response(said, [])
        return []

    return app


KIND, _, NAME = os.environ[VARIABLE].partition(" ")
app: object = (wrap_asgi if KIND == "asgi" else wrap_wsgi)(find(NAME))

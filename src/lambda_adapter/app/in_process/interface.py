"""Find out which interface an imported object has: ASGI, WSGI, or a factory's.

An application of the other interface would start, and then fail each request. The
signatures differ:
https://asgi.readthedocs.io/en/latest/specs/main.html#applications
https://peps.python.org/pep-3333/#the-application-framework-side
"""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from lambda_adapter.errors import AppImportError
from lambda_adapter.observe.logs import log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from lambda_adapter.app.in_process.asgi.host import Receive, Scope, Send

    # ASGI 2, which Django Channels and others once were: ``app(scope)(receive, send)``.
    TwoCalls = Callable[[Scope], Callable[[Receive, Send], Awaitable[None]]]

Kind = Literal["asgi", "wsgi"]

HANDLER = ["event", "context"]
"""The arguments of a handler on AWS's own runtime:
https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html"""

_ARGUMENTS = {"asgi": 3, "wsgi": 2}
_FORM = {
    "asgi": "async def app(scope, receive, send)",
    "wsgi": "def app(environ, start_response)",
}
_OTHER: dict[Kind, Kind] = {"asgi": "wsgi", "wsgi": "asgi"}


class _CallShape(NamedTuple):
    """How many positional arguments a callable needs, and how many it accepts."""

    least: int
    most: float

    def takes(self, count: int) -> bool:
        return self.least <= count <= self.most


def adapt(found: object, name: str, kind: Kind) -> object:
    """Return the application that was imported, called first if it is a factory.

    Raises:
        AppImportError: it has another interface. A factory's exceptions are not caught.
    """
    if callable(found) and not name.endswith("()") and _is_factory(found):
        log.warning("%s is a factory and was called: name it %s()", name, name)
        found = found()
    if not callable(found):
        raise TypeError(f"{name} is a {type(found).__name__}, which can't be called")
    shape = _call_shape(found)
    if shape is None:  # written in C, for example
        return found
    if kind == "asgi" and _has_two_calls(found, shape):
        return _in_one_call(cast("TwoCalls", found))
    if fault := _find_fault(found, shape, kind):
        raise AppImportError(f"{name} {fault}")
    return found


def _is_factory(found: object) -> bool:
    shape = _call_shape(found)
    if shape is None or shape.least or shape.most == math.inf:
        return False
    return not inspect.iscoroutinefunction(found)


def _missing_argument(found: object, shape: _CallShape) -> str | None:
    """Return the only argument that a function needs, if it seems to be a factory.

    An application of ASGI 2 needs a ``scope``; a factory needs settings, for example.
    """
    if shape.least != 1 or not inspect.isfunction(found):
        return None
    name = next(iter(inspect.signature(found).parameters))
    return None if "scope" in name else name


def _is_lambda_handler(found: object) -> bool:
    """Return whether a callable is what AWS's runtime calls, such as Mangum's object.

    It has as many arguments as a WSGI application.
    """
    return callable(found) and [*inspect.signature(found).parameters] == HANDLER


def _call_shape(found: object) -> _CallShape | None:
    """Return the arguments of a callable, or None if Python does not know them."""
    if not callable(found):
        return None
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):
        return None
    least, most = 0, 0.0
    for each in parameters:
        match each.kind:
            case each.VAR_POSITIONAL:
                most = math.inf
            case each.POSITIONAL_ONLY | each.POSITIONAL_OR_KEYWORD:
                most += 1
                least += each.default is each.empty
            case each.KEYWORD_ONLY if each.default is each.empty:
                return None
    return _CallShape(least, most)


def _is_async(found: object) -> bool:
    call: object = getattr(found, "__call__", None)  # noqa: B004 - its code counts
    return any(
        inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each)
        for each in (found, call)
    )


def _find_fault(found: object, shape: _CallShape, kind: Kind) -> str | None:
    """Return why an object is not an application of this kind, or None."""
    other = _OTHER[kind]
    if isinstance(found, type) and not _is_made_for_each_request(found, kind):
        return "is a class: name an instance of it, or write () behind it"
    if _is_lambda_handler(found):
        return (
            "is a Lambda handler, def handler(event, context): name the application"
            " that it calls instead"
        )
    fits = shape.takes(_ARGUMENTS[kind])
    if fits and not (kind == "wsgi" and _is_async(found)):
        return None
    if not shape.least and _is_async(found):
        return "is a coroutine function: no factory is awaited"
    if not _is_async(found) and (argument := _missing_argument(found, shape)):
        return (
            f"is a function that needs {argument}, which no server passes: if it is a"
            " factory, name what it returns, or give the argument a default"
        )
    # What could be either has passed: *args, or defaults for the last arguments.
    if shape.takes(_ARGUMENTS[other]) and (other == "asgi" or not _is_async(found)):
        return (
            f"is {_with_article(other)} application, {_FORM[other]}: serve it with"
            f" --{other} or AWS_LWA_{other.upper()}_APP"
        )
    return f"is not {_with_article(kind)} application: {_FORM[kind]} is one"


def _with_article(kind: Kind) -> str:
    return {"asgi": "an ASGI", "wsgi": "a WSGI"}[kind]


def _is_made_for_each_request(found: type, kind: Kind) -> bool:
    """Return whether a class is itself an application: its instances are responses."""
    return hasattr(found, "__await__" if kind == "asgi" else "__iter__")


def _has_two_calls(found: object, shape: _CallShape) -> bool:
    """Return whether this is an application of ASGI 2."""
    if not (shape.least == 1 and shape.most < _ARGUMENTS["asgi"]):
        return False
    if not isinstance(found, type):
        return not (_is_async(found) or _missing_argument(found, shape))
    inner = _call_shape(getattr(found, "__call__", None))  # noqa: B004 - with its self
    return inner is None or inner.takes(3)


def _in_one_call(app: TwoCalls) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return an application of ASGI 2 as one of ASGI 3, as uvicorn runs it."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope)(receive, send)

    return run

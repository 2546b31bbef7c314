"""``interface``: ASGI, WSGI or a factory, told apart before the first request."""

import functools
import inspect

import pytest

from lambda_adapter.app.in_process.interface import adapt
from lambda_adapter.errors import AppImportError
from tests.adapter import open_adapter
from tests.app.calls import http_event
from tests.app.in_process.asgi.test_app import PROGRAMS
from tests.fake_runtime_api import INIT_ERROR


async def asgi(scope, receive, send): ...


def wsgi(environ, start_response):
    return []


def wsgi_generator(environ, start_response):
    yield b""


def wrapped(*args):
    return asgi(*args)


class Asgi:
    async def __call__(self, scope, receive, send): ...


class PlainAsgi:
    def __call__(self, scope, receive, send):
        return asgi(scope, receive, send)


class AwaitedAsgi:
    """A class that is an application: each instance is a response, as Starlette's."""

    def __init__(self, scope, receive, send): ...

    def __await__(self):
        yield


class SlottedAsgi:
    """An object whose call is an attribute, as Sentry's middleware once had it."""

    __slots__ = ("__call__",)

    def __init__(self):
        self.__call__ = asgi


class Wsgi:
    def __call__(self, environ, start_response):
        return []


class WsgiWithOptions:
    def __call__(self, environ, start_response, *, debug=False):
        return []


class IterableWsgi:
    """A class that is an application, as PEP 3333 has one."""

    def __init__(self, environ, start_response): ...

    def __iter__(self):
        yield b""


class NeedsName:
    def __init__(self, name): ...

    def __call__(self, environ, start_response):
        return []


class AsgiNeedsName:
    def __init__(self, name): ...

    async def __call__(self, scope, receive, send): ...


class Mangum:
    """A handler of Lambda's events around an application."""

    def __call__(self, event, context):
        return {"statusCode": 200}


class Framework:
    """A class whose arguments are all optional, as a framework's application has."""

    def __init__(self, routes=None, debug=False, lifespan=None): ...

    async def __call__(self, scope, receive, send): ...


class TwoCalls:
    """ASGI 2 as a class."""

    def __init__(self, scope):
        self.scope = scope

    async def __call__(self, receive, send):
        await send({"type": self.scope["type"]})


def two_calls(scope):
    """ASGI 2 as a function."""

    async def run(receive, send):
        await send({"type": scope["type"]})

    return run


def optional(config=None, debug=False):
    return wsgi


def keywords(**options):
    return asgi


def needs_settings(settings):
    return asgi


def needs_one_of_two(settings, debug=False):
    return asgi


async def async_factory():
    return asgi


@pytest.mark.parametrize(
    "found",
    [
        *(asgi, wrapped, Asgi(), PlainAsgi(), AwaitedAsgi, SlottedAsgi(), print),
        *(Asgi().__call__, functools.partial(asgi)),
        pytest.param(functools.lru_cache(asgi), id="lru_cache"),
    ],
)
def test_asgi(found):
    """An ASGI application of any form is served."""
    assert adapt(found, "main:app", "asgi") is found


@pytest.mark.parametrize(
    "found",
    [
        *(wsgi, wsgi_generator, wrapped, Wsgi(), WsgiWithOptions(), IterableWsgi),
        *(print, Wsgi().__call__),
    ],
)
def test_wsgi(found):
    """A WSGI application of any form is served."""
    assert adapt(found, "main:app", "wsgi") is found


@pytest.mark.parametrize(
    ("found", "kind", "reason"),
    [
        (wsgi, "asgi", "is a WSGI application"),
        (Wsgi(), "asgi", "serve it with --wsgi or AWS_LWA_WSGI_APP"),
        (asgi, "wsgi", "is an ASGI application"),
        (Asgi(), "wsgi", "serve it with --asgi or AWS_LWA_ASGI_APP"),
        (PlainAsgi(), "wsgi", "serve it with --asgi or AWS_LWA_ASGI_APP"),
        (two_calls, "wsgi", "is not a WSGI application"),
        (lambda a, b, c, d: None, "asgi", "is not an ASGI application"),
        (lambda a, b, c, d: None, "wsgi", "is not a WSGI application"),
        (NeedsName, "wsgi", "is a class: name an instance of it"),
        (AsgiNeedsName, "asgi", "is a class: name an instance of it"),
        (needs_settings, "asgi", "is a function that needs settings"),
        (needs_settings, "wsgi", "is a function that needs settings"),
        (needs_one_of_two, "asgi", "is a function that needs settings"),
        (Mangum(), "asgi", "is a Lambda handler"),
        (Mangum(), "wsgi", "is a Lambda handler"),
        (lambda event, context: None, "wsgi", "name the application that it calls"),
    ],
)
def test_other_interface(found, kind, reason):
    """An application of the other interface is refused, with the right option."""
    with pytest.raises(AppImportError) as caught:
        adapt(found, "main:app", kind)

    assert str(caught.value).startswith("main:app is ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("found", "kind", "made"),
    [
        (lambda: asgi, "asgi", asgi),
        (lambda: wsgi, "wsgi", wsgi),
        (optional, "wsgi", wsgi),
        (keywords, "asgi", asgi),
    ],
)
def test_factory(caplog, found, kind, made):
    """A factory without parentheses is called, and the log says how to name it."""
    assert adapt(found, "main:create_app", kind) is made
    assert "main:create_app is a factory and was called: name it" in caplog.text


@pytest.mark.parametrize(("kind", "found"), [("asgi", Framework), ("wsgi", Wsgi)])
def test_class_without_parentheses(kind, found):
    """A class whose instances are applications is a factory of one."""
    assert isinstance(adapt(found, "main:App", kind), found)


def test_factory_that_makes_the_other(caplog):
    """The result of a factory must have the right interface as well."""
    for name, found in {"main:create": lambda: wsgi, "main:create()": wsgi}.items():
        with pytest.raises(AppImportError, match="is a WSGI application"):
            adapt(found, name, "asgi")


def test_factory_that_is_a_coroutine():
    """A coroutine function is not accepted as a factory."""
    with pytest.raises(AppImportError, match="no factory is awaited"):
        adapt(async_factory, "main:create", "asgi")


@pytest.mark.parametrize("found", [TwoCalls, two_calls])
async def test_two_calls(found):
    """An application of ASGI 2 is served, as uvicorn serves it."""
    sent = []

    async def send(message):
        sent.append(message)

    app = adapt(found, "main:app", "asgi")
    assert inspect.iscoroutinefunction(app)
    await app({"type": "http"}, None, send)

    assert sent == [{"type": "http"}]


@pytest.mark.parametrize(
    ("kind", "name", "other"),
    [("asgi", "wsgi_app:app", "--wsgi"), ("wsgi", "asgi_app:app", "--asgi")],
)
async def test_init_error(runtime, kind, name, other):
    """Lambda's init error names the option that serves the application."""
    async with open_adapter(
        runtime.address, ["--app-dir", PROGRAMS, f"--{kind}", name]
    ) as adapter:
        status = await adapter.wait()
        posted = await runtime.wait_posted(INIT_ERROR)

    assert status == 1
    assert posted.json()["errorType"] == "Runtime.AppImportError"
    assert f"serve it with {other}" in str(posted.json()["errorMessage"])
    assert f"serve it with {other}" in adapter.log


@pytest.mark.parametrize(("kind"), ["asgi", "wsgi"])
async def test_factory_on_the_command_line(runtime, kind):
    """An application whose factory is named without parentheses is served."""
    async with open_adapter(
        runtime.address, ["--app-dir", PROGRAMS, f"--{kind}", f"{kind}_app:create"]
    ) as adapter:
        posted = await runtime.invoke(http_event("/stream"))

    assert posted.json()["statusCode"] == 200
    assert "is a factory and was called: name it" in adapter.log

"""``scope``: a request as an ASGI scope."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.app.app import Call
from lambda_adapter.app.in_process.asgi.scope import make_scope
from lambda_adapter.app.in_process.lambda_context import Function
from lambda_adapter.app.in_process.wsgi.environ import make_environ
from lambda_adapter.config import Config
from lambda_adapter.errors import EventError
from lambda_adapter.events.classify import classify
from lambda_adapter.events.event import Context
from lambda_adapter.runtime.api import Invocation
from tests.app.calls import http_event, turn_of, with_prefix
from tests.catalogue import HTTP, NAMES, load
from tests.torture.strategies import documents, mutants

FUNCTION = Function(Config({"AWS_LAMBDA_FUNCTION_NAME": "f"}))


def scope_of(event, *, base_path="", prefix=None, state=None):
    call, request = turn_of(event)
    if prefix:
        request = with_prefix(request, prefix)
    return make_scope(request, call, FUNCTION, base_path, state)


async def test_keys():
    """A scope has the keys of the specification, the event and its context."""
    scope = scope_of(http_event("/path", "a=b", x_a="1"), state={"a": 1})

    event, context = scope.pop("aws.event"), scope.pop("aws.context")
    assert dict(event) == http_event("/path", "a=b", x_a="1")
    assert (context.aws_request_id, context.function_name) == ("request-1", "f")
    headers = dict(scope.pop("headers"))
    assert (headers[b"host"], headers[b"x-a"]) == (b"example.com", b"1")
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": "/path",
        "raw_path": b"/path",
        "query_string": b"a=b",
        "root_path": "",
        "client": ("203.0.113.7", 0),
        "server": ("example.com", 443),
        "extensions": {},
        "state": {"a": 1},
    }


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/a%20b", "/a b"),
        ("/a%2520", "/a%20"),
        ("/%C3%A9", "/\xe9"),
        ("/%FF", "/\N{REPLACEMENT CHARACTER}"),
    ],
)
async def test_path_is_decoded_once(raw, path):
    """``path`` is decoded, once, and ``raw_path`` is not."""
    scope = scope_of(http_event(raw))

    assert (scope["raw_path"], scope["path"]) == (raw.encode(), path)


@pytest.mark.parametrize("name", HTTP)
async def test_names_are_in_lower_case(name):
    """Names of headers are in lower case, whatever the kind of the event."""
    headers = scope_of(load(name))["headers"]

    assert headers
    assert all(name == name.lower() for name, _ in headers)


async def test_fields_keep_their_order_and_number():
    """Headers of the same name stay separate and in order."""
    call, request = turn_of(http_event())
    request.fields[:] = [(b"X-A", b"1"), (b"b", b"2"), (b"x-a", b"3")]

    scope = make_scope(request, call, FUNCTION, "", None)

    assert scope["headers"] == [(b"x-a", b"1"), (b"b", b"2"), (b"x-a", b"3")]


async def test_root_path():
    """A prefix removed by AWS_LWA_REMOVE_BASE_PATH is in both paths and root_path."""
    scope = scope_of(http_event("/x%20y"), base_path="/api", prefix=b"/api")

    assert scope["root_path"] == "/api"
    assert (scope["path"], scope["raw_path"]) == ("/api/x y", b"/api/x%20y")


@pytest.mark.parametrize("base_path", ["", "/other"])
async def test_root_path_is_no_clients(base_path):
    """A client's header does not make a root path."""
    scope = scope_of(http_event("/x"), base_path=base_path, prefix=b"/api")

    assert (scope["root_path"], scope["path"]) == ("", "/x")


async def test_state_is_a_copy():
    """Each request gets a shallow copy of the state."""
    state: dict[str, object] = {"shared": []}
    scope = scope_of(http_event(), state=state)
    scope["state"]["own"] = 1
    scope["state"]["shared"].append(2)

    assert state == {"shared": [2]}


async def test_no_state():
    """The scope has no state if the application has no lifespan."""
    assert "state" not in scope_of(http_event())


@given(payload=st.one_of(documents(), st.sampled_from(NAMES).flatmap(mutants)))
def test_any_event(payload):
    """Whatever becomes a request becomes a scope and an environ, of the right types."""
    try:
        kind = classify(payload)
        event = kind.decode(payload)
        request = event.request(Context(b"{}"))
    except EventError:
        return
    call = Call(Invocation("request-1", payload), math.inf, kind, event)

    scope: Any = make_scope(request, call, FUNCTION, "", None)
    environ = make_environ(request, call, FUNCTION, "", multithread=False)

    assert scope["path"].startswith("/")
    assert all(isinstance(scope[key], bytes) for key in ("raw_path", "query_string"))
    assert scope["scheme"] in {"http", "https"}
    host, port = scope["server"]
    assert isinstance(host, str)
    assert 0 <= port <= 65_535
    assert {type(name) for field in scope["headers"] for name in field} <= {bytes}
    for name, value in environ.items():
        if name.isupper():
            assert isinstance(value, str), name
            value.encode("latin-1")


@pytest.mark.parametrize(
    ("host", "server"),
    [("[::1]:8000", ("::1", 8000)), ("[::1]", ("::1", 443)), ("a:1", ("a", 1))],
)
async def test_server_of_an_ipv6_address(host, server):
    """A server's IPv6 address has no brackets, as under uvicorn."""
    assert scope_of(http_event(host=host))["server"] == server

"""``environ``: a request as a WSGI environ."""

from wsgiref.validate import validator

from lambda_adapter.app.in_process.lambda_context import Function
from lambda_adapter.app.in_process.wsgi.environ import make_environ
from lambda_adapter.config import Config
from tests.app.calls import http_event, turn_of, with_prefix
from tests.app.in_process.wsgi.test_transport import open_transport
from tests.catalogue import load

FUNCTION = Function(Config({}))


def environ_of(event, *, base_path="", prefix=None):
    call, request = turn_of(event)
    if prefix:
        request = with_prefix(request, prefix)
    return make_environ(request, call, FUNCTION, base_path, multithread=False)


async def test_path_is_decoded_once():
    """A path is the Latin-1 of its decoded bytes, and a query is raw."""
    environ = environ_of(http_event("/a%20%C3%A9%2520", "q=%20"))

    assert environ["PATH_INFO"] == "/a \xc3\xa9%20"
    assert environ["QUERY_STRING"] == "q=%20"


async def test_fields():
    """Headers are variables with ``HTTP_``, except for length and type."""
    environ = environ_of(
        http_event("/", method="POST", body="text", content_type="a/b", x_a="1")
    )

    assert environ["CONTENT_TYPE"] == "a/b"
    assert environ["CONTENT_LENGTH"] == "4"
    assert environ["HTTP_X_A"] == "1"
    assert environ["HTTP_HOST"] == "example.com"
    assert {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & set(environ) == set()
    assert environ["wsgi.input"].read() == b"text"


async def test_fields_of_one_name_are_joined():
    """Headers of the same name become one variable."""
    environ = environ_of(load("rest_api_multi_value"))

    joined = [value for value in environ.values() if isinstance(value, str)]
    assert any("," in value for value in joined)


async def test_names_with_underscores_are_left_out():
    """No header passes for another one whose name has hyphens."""
    event = http_event()
    event["headers"] |= {"x_forwarded_for": "1.2.3.4", "x-forwarded-for": "5.6.7.8"}

    assert environ_of(event)["HTTP_X_FORWARDED_FOR"] == "5.6.7.8"


async def test_origin():
    """The client's address is the event's, and no client can write it."""
    environ = environ_of(http_event(x_forwarded_for="9.9.9.9", host="a.example:81"))

    assert environ["REMOTE_ADDR"] == "203.0.113.7"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("a.example", "81")
    assert environ["wsgi.url_scheme"] == "https"


async def test_base_path():
    """The part that was removed from the path is ``SCRIPT_NAME``."""
    environ = environ_of(http_event("/x"), base_path="/api", prefix=b"/api")

    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/api", "/x")


async def test_validator():
    """Python's own validator of WSGI finds no fault."""

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read(100)]

    transport = open_transport()
    transport._app = validator(app)
    call, request = turn_of(http_event("/a", method="POST", body="text"))

    response = await transport.send(request, call)
    await transport.finish(call.deadline)

    assert (response.status, response.body) == (200, b"text")

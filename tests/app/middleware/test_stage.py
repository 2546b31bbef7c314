"""``stage``: API Gateway's stage, off the path and in what the application is told."""

import pytest

from lambda_adapter.app.in_process.asgi.scope import make_scope
from lambda_adapter.app.in_process.lambda_context import Function
from lambda_adapter.app.in_process.wsgi.environ import make_environ
from lambda_adapter.app.middleware.rewrite import rewrite
from lambda_adapter.app.middleware.stage import find_stage
from lambda_adapter.config import Config
from lambda_adapter.errors import ClosedPathError
from lambda_adapter.events.event import Context
from lambda_adapter.http.messages import folded
from tests.adapter import open_adapter
from tests.app.calls import turn_of
from tests.catalogue import HTTP, load
from tests.emulator import PROJECT
from tests.events.examples import encode, read
from tests.serve.invoke_loop.function import open_function

AUTO = {"AWS_LWA_REMOVE_BASE_PATH": "auto"}
CUSTOM = "api.example.com"


def event_of(name, path, /, stage="prod", **context):
    """Return an event for a path, as a kind of API with this stage has it."""
    event = load(name)
    event["rawPath" if "rawPath" in event else "path"] = path
    event["requestContext"] |= {"stage": stage, **context}
    return {key: value for key, value in event.items() if "uery" not in key}


def http_api(path, **context):
    return event_of("http_api", path, **context)


def http_api_v1(path, **context):
    return event_of("http_api_v1", path, **context)


def rest_api(path, url_path, **context):
    return event_of("rest_api", path, path=url_path, **context)


STAGES = [
    pytest.param(http_api("/prod/x"), "/x", "/prod", id="HTTP API"),
    pytest.param(http_api("/prod"), "/", "/prod", id="HTTP API, stage alone"),
    pytest.param(http_api("/prod/"), "/", "/prod", id="HTTP API, slash alone"),
    pytest.param(http_api("/prod/prod/x"), "/prod/x", "/prod", id="HTTP API, twice"),
    pytest.param(http_api("/production"), "/production", "", id="HTTP API, half"),
    pytest.param(
        http_api("/prod/x", domainName=CUSTOM), "/x", "", id="HTTP API, custom domain"
    ),
    pytest.param(
        http_api("/orders/x", domainName=CUSTOM),
        "/orders/x",
        "",
        id="HTTP API, mapping",
    ),
    pytest.param(
        http_api("/prod/x", domainName=None), "/x", "/prod", id="HTTP API, no domain"
    ),
    pytest.param(http_api("/x", stage="$default"), "/x", "", id="HTTP API, default"),
    pytest.param(http_api("/x", stage=None), "/x", "", id="HTTP API, no stage"),
    pytest.param(http_api("/a\nb/x", stage="a\nb"), "/a%0Ab/x", "", id="odd stage"),
    pytest.param(http_api_v1("/prod/x"), "/x", "/prod", id="HTTP API 1.0"),
    pytest.param(
        http_api_v1("/prod/x", domainName=CUSTOM), "/x", "", id="HTTP API 1.0, custom"
    ),
    pytest.param(rest_api("/x", "/prod/x"), "/x", "/prod", id="REST API"),
    pytest.param(rest_api("/", "/prod"), "/", "/prod", id="REST API, stage alone"),
    pytest.param(rest_api("/", "/prod/"), "/", "/prod", id="REST API, slash alone"),
    pytest.param(rest_api("/x", "/prod//x"), "/x", "/prod", id="REST API, slashes"),
    pytest.param(rest_api("/prod/x", "/prod/prod/x"), "/prod/x", "/prod", id="twice"),
    pytest.param(
        rest_api("/x", "/x", domainName=CUSTOM), "/x", "", id="REST API, custom domain"
    ),
    pytest.param(
        rest_api("/prod/x", "/prod/x", domainName=CUSTOM),
        "/prod/x",
        "",
        id="REST API, mapping of the stage's name",
    ),
    pytest.param(rest_api("/x", None), "/x", "/prod", id="REST API, no path"),
    pytest.param(
        rest_api("/x", None, domainName=CUSTOM),
        "/x",
        "",
        id="REST API, no path, custom",
    ),
    pytest.param(
        event_of("rest_api_test_console", "/x", "test-invoke-stage"),
        "/x",
        "",
        id="console",
    ),
    pytest.param(
        event_of("function_url", "/prod/x", "$default"), "/prod/x", "", id="URL"
    ),
]


@pytest.mark.parametrize(("event", "path", "told"), STAGES)
async def test_stage(runtime, event, path, told):
    """The stage is removed, and X-Forwarded-Prefix has that of the client's URL."""
    async with open_function(runtime, AUTO) as function:
        request = await function.seen(event)

    assert request.line.split()[1] == path.encode()
    expected = [told.encode()] if told else []
    assert request.values(b"x-forwarded-prefix") == expected


@pytest.mark.parametrize("name", ["X-Forwarded-Prefix", "x_forwarded.prefix"])
@pytest.mark.parametrize("kind", HTTP)
async def test_no_client_forges_it(kind, name):
    """A client's prefix reaches no application, in any spelling, from any gateway."""
    event = load(kind)
    for key, forged in (("headers", "/evil"), ("multiValueHeaders", ["/evil"])):
        if event.get(key):
            event[key][name] = ["/evil"] if "lattice" in kind else forged
    call, request = turn_of(event)

    request = rewrite(request, Config(AUTO), call.event)

    told = [value for field, value in request.fields if b"prefix" in folded(field)]
    assert b"/evil" not in told
    assert len(told) <= 1


@pytest.mark.parametrize("context", [None, [], "x", {"stage": 7}, {"stage": "a/b"}])
def test_odd_context(context):
    """A context without a sound name of a stage has none."""
    event = read(encode(load("rest_api", requestContext=context)))

    assert find_stage(event) == (b"", b"")


FUNCTION = Function(Config({}))
IN_PROCESS = {"AWS_LWA_WSGI_APP": "a:b"}


@pytest.mark.parametrize(
    ("setting", "event", "root", "path"),
    [
        pytest.param("auto", http_api("/prod/x"), "/prod", "/x", id="HTTP API"),
        pytest.param("auto", http_api("/prod"), "/prod", "", id="HTTP API, no slash"),
        pytest.param("auto", http_api("/prod/"), "/prod", "/", id="HTTP API, a slash"),
        pytest.param(
            "auto", http_api("/prod", domainName=CUSTOM), "", "/", id="custom domain"
        ),
        pytest.param("auto", rest_api("/x", "/prod/x"), "/prod", "/x", id="REST API"),
        pytest.param("auto", load("alb", path="/x"), "", "/x", id="ALB"),
        pytest.param("/script", http_api("/script"), "/script", "", id="path alone"),
        pytest.param(
            "/script", http_api("/script/"), "/script", "/", id="with a slash"
        ),
        pytest.param("/script", http_api("/script/a"), "/script", "/a", id="below"),
        pytest.param("/script", http_api("/scripts"), "", "/scripts", id="beside"),
    ],
)
async def test_in_process(setting, event, root, path):
    """In process, SCRIPT_NAME and root_path are what a URL has before its path.

    PATH_INFO is empty where the URL ends there, and ASGI's path has both:
    https://peps.python.org/pep-3333/#environ-variables and
    https://asgi.readthedocs.io/en/latest/specs/www.html#http-connection-scope say so.
    """
    config = Config({"AWS_LWA_REMOVE_BASE_PATH": setting, **IN_PROCESS})
    call, request = turn_of(event)
    request = rewrite(request, config, call.event)

    environ = make_environ(request, call, FUNCTION, setting, multithread=False)
    scope = make_scope(request, call, FUNCTION, setting, None)

    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (root, path)
    assert (scope["root_path"], scope["path"]) == (root, root + path)
    assert scope["raw_path"] == (root + path).encode()


@pytest.mark.parametrize("path", ["/prod/snapstart/after", "/prod//SNAPSTART/after"])
def test_hooks_are_closed_behind_the_stage(path):
    """A path that is closed to clients is closed behind a stage as well."""
    hook = {"AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/snapstart/after"}
    event = read(encode(http_api(path)))
    request = event.request(Context(b"{}"))

    with pytest.raises(ClosedPathError):
        rewrite(request, Config(AUTO | hook), event)


@pytest.mark.e2e  # FastAPI is not among the packages of `make quick`
@pytest.mark.parametrize(
    ("event", "base"),
    [
        pytest.param(http_api("/prod/docs"), "/prod", id="HTTP API"),
        pytest.param(http_api("/prod/docs", domainName=CUSTOM), "", id="custom domain"),
        pytest.param(rest_api("/docs", "/prod/docs"), "/prod", id="REST API"),
    ],
)
async def test_documentation_of_fastapi(runtime, event, base):
    """FastAPI's pages of documentation find their schema behind a stage."""
    frameworks = str(PROJECT / "tests" / "programs" / "frameworks")
    command = ["--app-dir", frameworks, "--asgi", "fastapi_app:app"]
    async with open_adapter(runtime.address, command, AWS_LWA_REMOVE_BASE_PATH="auto"):
        posted = await runtime.invoke({**event, "body": None} | get(event))

    reply = posted.json()
    assert reply["statusCode"] == 200
    assert f"url: '{base}/openapi.json'" in str(reply["body"])


def get(event):
    """Return what makes a GET of an event."""
    context = event["requestContext"]
    if "http" in context:
        return {
            "requestContext": context | {"http": {**context["http"], "method": "GET"}}
        }
    return {"httpMethod": "GET"}

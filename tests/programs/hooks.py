"""Python applications with a hook at ``POST /snapstart/after``, as users write them.

Each responds with ``hook`` where it takes a request's path for the hook's, and with
anything else elsewhere.
"""

import re
import urllib.parse

from fastapi import FastAPI
from flask import Flask, abort, request
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

HOOK = "/snapstart/after"

with_fastapi = FastAPI()
with_flask = Flask(__name__)


@with_fastapi.post(HOOK)
async def fastapi_hook() -> PlainTextResponse:
    return PlainTextResponse("hook")


@with_flask.post(HOOK)
def flask_hook() -> str:
    return "hook"


async def starlette_hook(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hook")


with_starlette = Starlette(
    routes=[Route(HOOK, starlette_hook, methods=["POST"])],
)
mounted = Starlette(
    routes=[Mount(HOOK, app=PlainTextResponse("hook"))],
)


checking = Flask("checking")


@checking.get("/")
def ready() -> str:
    return "ready"


@checking.post("/", defaults={"path": ""})
@checking.post("/<path:path>")
def checked_hook(path: str) -> str:
    """Take any path for the hook's, but not any request."""
    if request.headers.get("x-amzn-lambda-context") != "null":
        abort(403)
    return "hook"


async def lenient(scope, receive, send):
    """Compare as leniently as a handwritten guard may: decoded, trimmed, any case."""
    assert scope["type"] == "http"
    path = urllib.parse.unquote_plus(scope["raw_path"].decode("latin-1")).strip()
    is_hook = re.fullmatch(rf"(?i)/*{HOOK}(\.\w+)?/*", path.partition("?")[0])
    response = PlainTextResponse("hook" if is_hook else "other")
    await response(scope, receive, send)

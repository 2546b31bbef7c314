"""AWS_LWA_REMOVE_BASE_PATH=auto: the stage that API Gateway has in front of a path.

Whether the client's URL has the stage, and whether the event's path has it, are two
questions, and APIs differ in both:

| API, at its | the URL has it | the event's path has it |
|---|---|---|
| HTTP API, own domain | yes | yes |
| HTTP API, custom domain | no | yes, unless a mapping has a key |
| REST API, own domain | yes | no |
| REST API, custom domain | no | no |

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import re

import msgspec

from lambda_adapter.events.event import Event
from lambda_adapter.events.http_api import HttpApiEvent
from lambda_adapter.events.rest_api import HttpApiV1Event, RestApiEvent

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""A stage that has a name. ``$default`` is in no path."""

TEST_STAGE = "test-invoke-stage"
"""That of the console's test, which has no URL."""


class _Context(msgspec.Struct, rename="camel", gc=False):
    stage: str | None = None
    domain_name: str | None = None
    path: str | None = None
    """Of REST APIs, and of HTTP APIs in format 1.0: the path of the client's URL."""


def find_stage(event: Event | None) -> tuple[bytes, bytes]:
    """Return what to take off the path, and what the client's URL has before the rest.

    Both are the stage with a slash in front, or nothing.
    """
    if not isinstance(event, HttpApiEvent | RestApiEvent):
        return b"", b""
    try:
        context = msgspec.json.decode(event.request_context, type=_Context)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b"", b""
    name = context.stage or ""
    if not _NAME.fullmatch(name) or name == TEST_STAGE:
        return b"", b""
    stage = f"/{name}".encode()
    has_own_domain = ".execute-api." in (context.domain_name or ".execute-api.")
    if isinstance(event, HttpApiEvent | HttpApiV1Event):
        return stage, stage if has_own_domain else b""
    if context.path is not None:  # that of the URL, whatever the domain
        # Slashes that begin a path are one in the event's.
        has_own_domain = f"{context.path}/".startswith(f"/{name}/") and (
            context.path[len(stage) :].lstrip("/") == event.path.lstrip("/")
        )
    return b"", stage if has_own_domain else b""

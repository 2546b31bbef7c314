"""AWS_LWA_REMOVE_BASE_PATH=auto: find the stage that API Gateway adds to a path.

The stage may be in the client's URL, in the event's path, in both or in neither,
depending on the API:

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
"""The name of a stage. ``$default`` never occurs in a path."""

TEST_STAGE = "test-invoke-stage"
"""The stage of the console's test, which has no URL."""


class _Context(msgspec.Struct, rename="camel", gc=False):
    stage: str | None = None
    domain_name: str | None = None
    path: str | None = None
    """In events of REST APIs and of format 1.0: the path of the client's URL."""


def find_stage(event: Event | None) -> tuple[bytes, bytes]:
    """Return what to remove from the path, and what the client's URL has there.

    Each is the stage with a slash before it, or empty.
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
    if context.path is not None:  # the URL's path is conclusive for any domain
        # The event's path has only one of several leading slashes.
        has_own_domain = f"{context.path}/".startswith(f"/{name}/") and (
            context.path[len(stage) :].lstrip("/") == event.path.lstrip("/")
        )
    return b"", stage if has_own_domain else b""

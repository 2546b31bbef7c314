"""The Flask example, on gunicorn, behind the zipapp, under the emulator."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import open_flask
from tests.e2e.events import EVENTS, VARYING, Request, expected_head, with_path
from tests.emulator import Emulator

HTTP_EVENTS = [path for path in EVENTS if with_path(path, "/")]
OTHER_EVENTS = [
    path
    for path in EVENTS
    if path not in HTTP_EVENTS and not path.stem.startswith("websocket")
]
COOKIES = ["first=1; Path=/", "second=2; HttpOnly; Path=/"]
TEXT = "Two cookies for you.\n"
GUNICORN = {"Server": "gunicorn", "Date": "DATE"}


async def test_flask_sees_the_request_of_each_event(flask: Emulator):
    """Method, target, headers and body are those in tests/data, as WSGI tells them."""
    expected, seen = {}, {}
    for path in HTTP_EVENTS:
        event = json.loads(path.read_bytes())
        for key in {"path", "rawPath", "raw_path"} & set(event):
            event[key] = "/echo" + event[key]

        reply = json.loads(await flask.invoke(json.dumps(event).encode()))

        told = json.loads(reply["body"])
        seen[path.stem] = (told["method"], told["target"], _fields(told["headers"]))
        expected[path.stem] = _as_wsgi(path, flask.app)

    assert seen == expected


async def test_each_reply_has_its_kinds_shape(flask: Emulator):
    """Status, headers, both cookies and the body are returned in each kind's shape."""
    seen = {}
    for path in HTTP_EVENTS:
        payload = with_path(path, "/cookies")
        assert payload

        reply = await flask.invoke(payload)

        seen[path.stem] = json.loads(re.sub(rb'"[^"]* GMT"', b'"DATE"', reply))

    fields = {**GUNICORN, "Content-Type": "text/plain", "Content-Length": "21"}
    body = {"body": TEXT, "isBase64Encoded": False}
    lists = {name: [value] for name, value in fields.items()}
    multi = {"multiValueHeaders": lists | {"Set-Cookie": COOKIES}}
    spelled = fields | {"set-cookie": COOKIES[0], "set-cookiE": COOKIES[1]}
    rest_api = {"statusCode": 200, **multi, **body}
    http_api = {"statusCode": 200, "headers": fields, "cookies": COOKIES, **body}
    lattice = {"statusCode": 200, "headers": spelled, **body}
    alb = {"statusCode": 200, "statusDescription": "200 OK", **body}
    shapes = {
        "alb": alb | {"headers": spelled},
        "alb_health_check": alb | {"headers": spelled},
        "alb_multi_value": alb | multi,
        "function_url": http_api,
        "http_api": http_api,
        "http_api_binary": http_api,
        "http_api_v1": rest_api,
        "rest_api": rest_api,
        "rest_api_multi_value": rest_api,
        "rest_api_null_context": rest_api,
        "rest_api_test_console": rest_api,
        "vpc_lattice": lattice,
        "vpc_lattice_v1": lattice,
    }
    assert seen == shapes


@pytest.mark.parametrize(
    ("target", "body", "is_base64_encoded"),
    [
        ("/bytes", bytes(range(256)), True),
        ("/text", "Grüße, 世界 🌍\n".encode(), False),
    ],
    ids=["bytes", "text"],
)
async def test_bodies_come_back_byte_for_byte(
    flask: Emulator, target: str, body: bytes, is_base64_encoded: bool
):
    """Text is returned as text, other bodies as base64, for every kind of event."""
    for path in HTTP_EVENTS:
        payload = with_path(path, target)
        assert payload

        reply = json.loads(await flask.invoke(payload))

        sent = reply["body"].encode()
        assert reply["isBase64Encoded"] is is_base64_encoded, path.stem
        assert (base64.b64decode(sent) if is_base64_encoded else sent) == body


async def test_other_events_are_posted_and_answered_with_the_body(flask: Emulator):
    """An event that is not HTTP goes to /events, and the body is its reply."""
    for path in OTHER_EVENTS:
        payload = path.read_bytes()

        reply = json.loads(await flask.invoke(payload))

        assert reply == {"received": json.loads(payload)}


async def test_an_event_that_the_application_refuses_is_an_error(tmp_path: Path):
    """A status of 400 or above fails the invocation, so that a queue repeats it."""
    async with open_flask(tmp_path, AWS_LWA_PASS_THROUGH_PATH="/nowhere") as flask:
        for payload in (b"{}", b"{}"):
            report = json.loads(await flask.invoke(payload))

            assert report["errorType"] == "Runtime.AppRequestError"
            assert (
                "responded to POST /nowhere with 404 NOT FOUND"
                in report["errorMessage"]
            )


async def test_a_status_reaches_an_http_client(flask: Emulator):
    """A failure that the application reports is its response, and no error."""
    payload = with_path(HTTP_EVENTS[0], "/status/503")
    assert payload

    reply = json.loads(await flask.invoke(payload))

    assert (reply["statusCode"], reply["body"]) == (503, "Status 503.\n")


def _as_wsgi(path: Path, app: str) -> tuple[str, str, dict[str, str]]:
    """Return an event's expected request as an application behind WSGI sees it."""
    head = Request(expected_head(path, app), b"", {}).head
    method, target, _ = head[0].decode().split(" ")
    fields = [line.decode().partition(": ")[::2] for line in head[1:]]
    return method, "/echo" + target, _fields(fields)


def _fields(pairs: list[Any]) -> dict[str, str]:
    """Join duplicates, as WSGI does, and leave out what each invocation has anew."""
    fields: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        if key.encode() not in VARYING:
            fields[key] = f"{fields[key]},{value}" if key in fields else value
    return fields

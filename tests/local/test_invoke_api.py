"""The Invoke API, as AWS's emulator has it."""

import json

import httpx

from lambda_adapter.local.invoke_api import PATH
from tests.local.conftest import Doors


def invoke(doors: Doors, payload: bytes) -> httpx.Response:
    """Send an event to the function."""
    return httpx.post(f"http://127.0.0.1:{doors.ports['alb']}{PATH}", content=payload)


def event(path: str) -> bytes:
    """Return an HTTP API's event."""
    context = {"http": {"method": "GET"}, "domainName": "x"}
    return json.dumps({"rawPath": path, "requestContext": context}).encode()


def test_reply(doors: Doors):
    """An event's reply comes back as Lambda has it, with the id of the request."""
    response = invoke(doors, event("/cookies"))

    assert response.status_code == 200
    assert response.json()["cookies"] == ["first=1; Path=/", "second=2; HttpOnly"]
    assert len(response.headers["x-amzn-requestid"]) == 36
    assert "x-amz-function-error" not in response.headers


def test_event(doors: Doors):
    """An event that is not HTTP gets the application's response as its reply."""
    response = invoke(doors, b'{"Records":[]}')

    assert (response.status_code, response.content) == (200, b'{"Records":[]}')


def test_error(doors: Doors):
    """An invocation that fails is a 200 that says so, with the error as its body."""
    response = invoke(doors, b'"fail"')

    assert response.status_code == 200
    assert response.headers["x-amz-function-error"] == "Unhandled"
    assert response.json()["errorType"] == "Runtime.AppRequestError"
    assert "500" in response.json()["errorMessage"]


def test_stream(streaming: Doors):
    """A streamed reply comes as it went to Lambda: prelude, delimiter, body."""
    domain = "x.lambda-url.eu-west-1.on.aws"
    context = {"http": {"method": "GET"}, "domainName": domain}
    sent = {"rawPath": "/bytes", "requestContext": context}

    response = invoke(streaming, json.dumps(sent).encode())

    prelude, _, body = response.content.partition(bytes(8))
    assert json.loads(prelude)["statusCode"] == 200
    assert body == bytes(range(256))


def test_payload_too_large(doors: Doors):
    """An event over 6 MB is refused with 413."""
    assert invoke(doors, b"1" * 6_291_457).status_code == 413

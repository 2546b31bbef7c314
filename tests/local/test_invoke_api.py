"""The Invoke API, as AWS's emulator has it."""

import base64
import json
import re

import httpx
import pytest

from lambda_adapter.local.invoke_api import PATH
from lambda_adapter.local.testing import Portal, open_app
from tests.local.conftest import APP, Gateways


def invoke(gateways: Gateways, payload: bytes) -> httpx.Response:
    """Send an event to the function."""
    return httpx.post(
        f"http://127.0.0.1:{gateways.ports['alb']}{PATH}", content=payload
    )


def event(path: str) -> bytes:
    """Return an HTTP API's event."""
    context = {"http": {"method": "GET"}, "domainName": "x"}
    return json.dumps({"rawPath": path, "requestContext": context}).encode()


def test_reply(gateways: Gateways):
    """An event's reply is returned as by Lambda, with the request ID."""
    response = invoke(gateways, event("/cookies"))

    assert response.status_code == 200
    assert response.json()["cookies"] == ["first=1; Path=/", "second=2; HttpOnly"]
    assert len(response.headers["x-amzn-requestid"]) == 36
    assert "x-amz-function-error" not in response.headers


def test_event(gateways: Gateways):
    """An event that is not HTTP gets the application's response as its reply."""
    response = invoke(gateways, b'{"Records":[]}')

    assert (response.status_code, response.content) == (200, b'{"Records":[]}')


def test_error(gateways: Gateways):
    """A failed invocation is a 200 with the error as its body."""
    response = invoke(gateways, b'"fail"')

    assert response.status_code == 200
    assert response.headers["x-amz-function-error"] == "Unhandled"
    assert response.json()["errorType"] == "Runtime.AppRequestError"
    assert "500" in response.json()["errorMessage"]


def test_stream(streaming: Gateways):
    """A streamed reply is returned as sent to Lambda: prelude, delimiter, body."""
    domain = "x.lambda-url.eu-west-1.on.aws"
    context = {"http": {"method": "GET"}, "domainName": domain}
    sent = {"rawPath": "/bytes", "requestContext": context}

    response = invoke(streaming, json.dumps(sent).encode())

    prelude, _, body = response.content.partition(bytes(8))
    assert json.loads(prelude)["statusCode"] == 200
    assert body == bytes(range(256))


def test_payload_too_large(gateways: Gateways):
    """An event over 6 MB is refused with 413."""
    assert invoke(gateways, b"1" * 6_291_457).status_code == 413


def call(
    gateways: Gateways, name: str = "function", method: str = "POST", **headers: str
):
    """Call the Invoke API for a function, with headers such as ``log_type``."""
    named = {f"x-amz-{key.replace('_', '-')}": headers[key] for key in headers}
    url = f"http://127.0.0.1:{gateways.ports['alb']}/2015-03-31/functions/{name}/"
    return httpx.request(method, f"{url}invocations", headers=named, content=b'{"a":1}')


@pytest.mark.parametrize("payload", [b"", b" \n"])
def test_no_payload(gateways: Gateways, payload: bytes):
    """A call without a payload hands the function ``{}``, as Lambda does."""
    invoke(gateways, payload)

    assert next(iter(gateways.function.records)).payload == b"{}"


@pytest.mark.parametrize(
    "name",
    [
        "function",
        "function:$LATEST",
        "function%3Alive",
        "arn:aws:lambda:eu-west-1:123456789012:function:function",
        "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Afunction",
        "123456789012:function:function",
        "function?Qualifier=1",
    ],
)
def test_names(gateways: Gateways, name: str):
    """The function is invoked by its name and its ARNs, with a version or without."""
    path, _, query = name.partition("?")
    url = f"http://127.0.0.1:{gateways.ports['alb']}/2015-03-31/functions/{path}"

    response = httpx.post(f"{url}/invocations?{query}", content=b'{"a":1}')

    assert (response.status_code, response.content) == (200, b'{"a":1}')


@pytest.mark.parametrize("name", ["other", "functions", "arn:aws:lambda:x:1:layer:y"])
def test_another_function(gateways: Gateways, name: str):
    """Another function is AWS's 404, and nothing is invoked."""
    count = gateways.function.records.count

    response = call(gateways, name)

    assert response.status_code == 404
    assert response.headers["x-amzn-errortype"] == "ResourceNotFoundException"
    assert response.json()["Message"] == f"Function not found: {name}"
    assert gateways.function.records.count == count


def test_a_name_that_is_given():
    """A function with a name answers to it and to the emulator's, and has its ARN."""
    with open_app(APP, function_name="shop", event="alb") as app:
        for name in ("shop", "function"):
            path = f"/2015-03-31/functions/{name}/invocations"
            assert app.post(path, content=b"{}").status_code == 200
        assert app.post(PATH.replace("function/", "other/")).status_code == 404
        seen = app.get("/echo").text

    arn = str(lambda_context(seen)["invoked_function_arn"])
    assert arn.endswith(":function:shop")


def lambda_context(head: str) -> dict[str, object]:
    """Return the Lambda context in a request's head, as the application got it."""
    found = re.search(r"(?mi)^x-amzn-lambda-context: (.*?)\r?$", head)
    assert found
    context: dict[str, object] = json.loads(found[1])
    return context


def test_methods(gateways: Gateways):
    """A method other than POST is 405, and invokes nothing."""
    assert call(gateways, method="GET").status_code == 405


def test_dry_run(gateways: Gateways):
    """A dry run is 204, and the function does not run."""
    count = gateways.function.records.count

    assert call(gateways, invocation_type="DryRun").status_code == 204
    assert gateways.function.records.count == count


def test_event_that_nobody_waits_for(running: tuple[Gateways, Portal]):
    """An asynchronous invocation is 202 without a body, and runs."""
    gateways, portal = running

    response = call(gateways, invocation_type="Event")

    assert (response.status_code, response.content) == (202, b"")
    invoke(gateways, b"{}")  # in the only environment, so that it ran before
    invocation = list(gateways.function.records)[1]
    portal.run(invocation.told.wait)
    assert invocation.payload == b'{"a":1}'
    assert invocation.request_id == response.headers["x-amzn-requestid"]


def test_type_that_does_not_exist(gateways: Gateways):
    """A type of invocation that does not exist is 400."""
    response = call(gateways, invocation_type="Async")

    assert response.status_code == 400
    assert response.headers["x-amzn-errortype"] == "InvalidParameterValueException"


def test_tail_of_the_log(gateways: Gateways):
    """The last 4 KB of the log are returned in base64, on request."""
    url = f"http://127.0.0.1:{gateways.ports['alb']}{PATH}"
    headers = {"X-Amz-Log-Type": "Tail"}

    response = httpx.post(url, headers=headers, content=event("/print/" + "x" * 5000))

    log = base64.b64decode(response.headers["x-amz-log-result"]).decode()
    assert len(log) == 4096
    assert f"xxx\nEND RequestId: {response.headers['x-amzn-requestid']}\nREPORT" in log
    assert "x-amz-log-result" not in invoke(gateways, b"{}").headers


def test_client_context(gateways: Gateways):
    """A client context reaches the application; one that is not JSON is a 400."""
    url = f"http://127.0.0.1:{gateways.ports['alb']}{PATH}"
    context = base64.b64encode(b'{"custom": {"a": "\xc3\xa9"}}').decode()

    response = httpx.post(
        url, headers={"X-Amz-Client-Context": context}, content=event("/echo")
    )

    seen = base64.b64decode(response.json()["body"]).decode()
    assert lambda_context(seen)["client_context"] == {"custom": {"a": "é"}}
    for wrong in ("{}", base64.b64encode(b"{").decode()):
        assert call(gateways, client_context=wrong).status_code == 400


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings(gateways: Gateways, encoding: str):
    """An event that is not plain UTF-8 is 400, with the encoding that it has."""
    response = invoke(gateways, '{"a":1}'.encode(encoding))

    assert response.status_code == 400
    assert "in UTF-" in response.json()["Message"]
    assert "save it as UTF-8" in response.json()["Message"]

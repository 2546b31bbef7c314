"""What the replies to each kind of event say."""

import base64
import binascii
import json
from dataclasses import dataclass

from tests.fake_runtime_api import Posted

STREAMING = {"rest_api", "function_url"}
"""Kinds that stream, where the invoke mode says so."""
PASS_THROUGH = {"direct", "web_socket", "batch"}
"""Kinds whose reply is the application's body as JSON, and whose failure is an error.

A batch gets ``null`` in place of a text, so it can't show whose reply it got.
"""


@dataclass(frozen=True)
class Told:
    """What a reply says, whatever its form."""

    form: str
    """``reply``, ``stream``, ``body`` or ``error``."""
    status: int
    content: bytes
    error: str
    """The type of the error, if it is or ends in one."""


def told(posted: Posted, kind: str) -> Told:
    """Read a reply to an event of a kind; it must have the form of that kind."""
    if posted.kind == "error":
        assert kind in PASS_THROUGH
        return Told("error", 0, b"", str(posted.json()["errorType"]))
    assert posted.kind == "response"
    if posted.is_stream:
        assert kind in STREAMING
        prelude = posted.prelude()
        status = prelude.pop("statusCode")
        assert isinstance(status, int)
        trailers = {name.lower(): value for name, value in posted.trailers}
        error = trailers.get("lambda-runtime-function-error-type", "")
        if error:
            said = base64.b64decode(trailers["lambda-runtime-function-error-body"])
            assert json.loads(said)["errorType"] == error
        content = posted.content()
        return Told("stream", status, content, error or _error_type(content))
    if kind in PASS_THROUGH:
        said = json.loads(posted.body)
        content = said.encode() if isinstance(said, str) else posted.body
        return Told("body", 200, content, "")
    reply = posted.json()
    status, body = reply["statusCode"], reply["body"]
    assert isinstance(status, int)
    assert isinstance(body, str)
    content = body.encode()
    if reply["isBase64Encoded"]:
        content = binascii.a2b_base64(body, strict_mode=True)
    return Told("reply", status, content, _error_type(content))


def _error_type(content: bytes) -> str:
    """Return the type of the adapter's own error, as its client is told."""
    if not content.startswith(b'{"message":'):
        return ""
    return str(json.loads(content)["errorType"])

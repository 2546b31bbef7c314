"""Encode requests to Lambda's Runtime API, and parse its responses.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import re

import msgspec

from lambda_adapter import __version__
from lambda_adapter.errors import AdapterError
from lambda_adapter.http.encoding import EncodedRequest, encode_request
from lambda_adapter.http.memo import memoize
from lambda_adapter.http.messages import Field, Fields, Request, Response
from lambda_adapter.quoting import MAX_ERROR

MAX_EVENT = 33_554_432
"""Largest event in bytes. Lambda's own limit is 6 MB; this one only keeps a broken
Runtime API from filling the memory."""

DELIMITER = bytes(8)
"""Separates the prelude of a streamed reply from its body; JSON has no NUL bytes."""

RUNTIME = b"/2018-06-01/runtime"
EXTENSION = b"/2020-01-01/extension"


class Invocation(msgspec.Struct, frozen=True, gc=False):
    """One event, with the headers that Lambda sends with it.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-next
    All but the request ID and the payload are optional: ``""`` or 0 if missing.
    """

    request_id: str
    payload: bytes
    deadline_ms: int = 0
    """Milliseconds since the epoch."""
    function_arn: str = ""
    trace_id: str = ""
    client_context: str = ""
    """JSON, from the mobile SDK or any other caller of Invoke."""
    cognito_identity: str = ""
    """JSON."""
    tenant_id: str = ""
    invocation_id: str = ""
    """A nonce to return with the reply, so that a late reply to an earlier attempt is
    not taken for the reply to this one (https://github.com/aws/aws-lambda-python-runtime-interface-client/pull/214)."""


class UnusableResponseError(AdapterError):
    """The Runtime API's response is not a valid invocation."""


_SAID = {
    b"lambda-runtime-aws-request-id": 0,
    b"lambda-runtime-deadline-ms": 1,
    b"lambda-runtime-invoked-function-arn": 2,
    b"lambda-runtime-trace-id": 3,
    b"lambda-runtime-client-context": 4,
    b"lambda-runtime-cognito-identity": 5,
    b"lambda-runtime-aws-tenant-id": 6,
    b"lambda-runtime-invocation-id": 7,
}
"""The headers of ``/next`` that are needed, and their positions in ``said``."""

_known_places: dict[bytes, int] = {}
"""The same for names in any case, and -1 for all other headers."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]+")
_MILLISECONDS = re.compile(r"[0-9]{1,18}")


def parse_next(response: Response) -> Invocation:
    """Parse the response to ``GET /runtime/invocation/next``.

    Raises:
        UnusableResponseError: the response is not an invocation.
    """
    said = [""] * len(_SAID)
    for name, value in response.fields:
        place = _known_places.get(name)
        if place is None:
            place = memoize(_known_places, name, _SAID.get(name.lower(), -1))
        if place >= 0:
            said[place] = value.decode("latin-1")
    request_id, deadline, *others = said
    if response.status != 200 or not isinstance(response.body, bytes):
        raise UnusableResponseError(f"/next returned status {response.status}")
    if not _REQUEST_ID.fullmatch(request_id):
        raise UnusableResponseError(f"/next returned the request ID {request_id!r}")
    # Without a usable deadline the loop has its own. An invocation is worth more than a
    # well-formed header.
    deadline_ms = int(deadline) if _MILLISECONDS.fullmatch(deadline) else 0
    return Invocation(request_id, response.body, deadline_ms, *others)


_AGENT = (b"user-agent", f"lambda-adapter/{__version__}".encode())

_RESPONSE_HEAD = (
    b"POST %b/invocation/%%b/response HTTP/1.1\r\nhost: %%b\r\n%b: %b\r\n"
    b"content-length: %%d\r\ncontent-type: application/json\r\n%%b\r\n"
) % (RUNTIME, *_AGENT)
"""A template, since heads of replies differ only in request ID, host, length and nonce:
filling it in costs less than joining headers."""


class _ErrorReport(msgspec.Struct):
    error_message: str = msgspec.field(name="errorMessage")
    error_type: str = msgspec.field(name="errorType")
    stack_trace: list[str] = msgspec.field(name="stackTrace", default_factory=list)


def next_request(host: bytes) -> EncodedRequest:
    """Return the request for the next invocation."""
    return _encode_get(host, RUNTIME + b"/invocation/next")


def response_request(
    host: bytes, invocation: Invocation, reply: bytes
) -> EncodedRequest:
    """Return the request that posts the reply to an invocation."""
    # ``Lambda-Runtime-Function-Response-Mode`` is left out on purpose: any value but
    # ``streaming``, even ``buffered``, is refused.
    echo = b"".join([b"%b: %b\r\n" % field for field in _echo(invocation)])
    head = _RESPONSE_HEAD % (invocation.request_id.encode(), host, len(reply), echo)
    return EncodedRequest(b"POST", head, reply)


def stream_request(host: bytes, invocation: Invocation) -> EncodedRequest:
    """Return the request that posts a reply as a stream, with trailers for a failure.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
    """
    fields = [
        (b"host", host),
        _AGENT,
        (b"transfer-encoding", b"chunked"),
        (b"lambda-runtime-function-response-mode", b"streaming"),
        (b"content-type", b"application/vnd.awslambda.http-integration-response"),
        (b"trailer", b"Lambda-Runtime-Function-Error-Type"),
        (b"trailer", b"Lambda-Runtime-Function-Error-Body"),
        *_echo(invocation),
    ]
    return encode_request(Request(b"POST", _target(invocation, b"/response"), fields))


def restore_next_request(host: bytes) -> EncodedRequest:
    """Return the request that allows a snapshot; it is answered after the restore.

    Only AWS's own runtimes document it:
    https://github.com/aws/aws-lambda-python-runtime-interface-client/pull/176
    """
    return _encode_get(host, RUNTIME + b"/restore/next")


def restore_error_request(host: bytes, error: AdapterError) -> EncodedRequest:
    """Return the request that reports a failed restore."""
    return _post_error(host, RUNTIME + b"/restore/error", error, [])


def error_request(
    host: bytes, invocation: Invocation, error: AdapterError
) -> EncodedRequest:
    """Return the request that reports a failed invocation."""
    return _post_error(host, _target(invocation, b"/error"), error, _echo(invocation))


def init_error_request(host: bytes, error: AdapterError) -> EncodedRequest:
    """Return the request that reports a failed init."""
    return _post_error(host, RUNTIME + b"/init/error", error, [])


def register_request(host: bytes, extension: str) -> EncodedRequest:
    """Return the request that registers an extension without events.

    Lambda sends SIGTERM before SIGKILL only if an extension is registered:
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
    """
    name = (b"lambda-extension-name", extension.encode())
    return _encode_post(host, EXTENSION + b"/register", b'{"events":[]}', [name])


def event_next_request(host: bytes, extension_id: bytes) -> EncodedRequest:
    """Return the request for the next event, which completes the registration.

    None is subscribed to, so the response never comes.
    """
    identifier = (b"lambda-extension-identifier", extension_id)
    return _encode_get(host, EXTENSION + b"/event/next", identifier)


def _target(invocation: Invocation, end: bytes) -> bytes:
    return RUNTIME + b"/invocation/" + invocation.request_id.encode() + end


def _echo(invocation: Invocation) -> Fields:
    if not invocation.invocation_id:
        return []
    value = invocation.invocation_id.encode("latin-1")
    return [(b"lambda-runtime-invocation-id", value)]


def _encode_get(host: bytes, target: bytes, *extra: Field) -> EncodedRequest:
    return encode_request(Request(b"GET", target, [(b"host", host), _AGENT, *extra]))


def _encode_post(
    host: bytes, target: bytes, body: bytes, extra: Fields
) -> EncodedRequest:
    length = (b"content-length", b"%d" % len(body))
    kind = (b"content-type", b"application/json")
    fields = [(b"host", host), _AGENT, length, kind, *extra]
    return encode_request(Request(b"POST", target, fields, body))


def _post_error(
    host: bytes, target: bytes, error: AdapterError, extra: Fields
) -> EncodedRequest:
    # https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror
    kind = (b"lambda-runtime-function-error-type", error.error_type.encode())
    return _encode_post(host, target, encode_error(error), [kind, *extra])


def encode_error(error: AdapterError) -> bytes:
    """Return the JSON by which an error is reported to Lambda."""
    report = _ErrorReport(error.report[:MAX_ERROR], error.error_type)
    return msgspec.json.encode(report)

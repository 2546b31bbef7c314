"""What is asked of Lambda's Runtime API and Extensions API, and told to them.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html

Core: no I/O.
"""

import msgspec

from lambda_adapter import __version__
from lambda_adapter.errors import AdapterError
from lambda_adapter.http.encoding import EncodedRequest, encode_request
from lambda_adapter.http.messages import Field, Fields, Request
from lambda_adapter.quoting import MAX_ERROR
from lambda_adapter.runtime.api import EXTENSION, RUNTIME, Invocation

_AGENT = (b"user-agent", f"lambda-adapter/{__version__}".encode())

_RESPONSE_HEAD = (
    b"POST %b/invocation/%%b/response HTTP/1.1\r\nhost: %%b\r\n%b: %b\r\n"
    b"content-length: %%d\r\ncontent-type: application/json\r\n%%b\r\n"
) % (RUNTIME, *_AGENT)
"""What is the same in all replies. Request id, host, length and nonce are filled in."""


class _ErrorReport(msgspec.Struct):
    error_message: str = msgspec.field(name="errorMessage")
    error_type: str = msgspec.field(name="errorType")
    stack_trace: list[str] = msgspec.field(name="stackTrace", default_factory=list)


def next_request(host: bytes) -> EncodedRequest:
    """Ask for the next invocation."""
    return _get(host, RUNTIME + b"/invocation/next")


def response_request(
    host: bytes, invocation: Invocation, reply: bytes
) -> EncodedRequest:
    """Post the reply to an invocation.

    ``Lambda-Runtime-Function-Response-Mode`` is left out on purpose: any value but
    ``streaming``, even ``buffered``, is refused.
    """
    echo = b"".join([b"%b: %b\r\n" % field for field in _echo(invocation)])
    head = _RESPONSE_HEAD % (invocation.request_id.encode(), host, len(reply), echo)
    return EncodedRequest(b"POST", head, reply)


def stream_request(host: bytes, invocation: Invocation) -> EncodedRequest:
    """Post a reply piece by piece, ended by ``error_trailers`` if it fails.

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
    """Say that all is ready for a snapshot; the response comes once it is restored.

    Only AWS's own runtimes document it:
    https://github.com/aws/aws-lambda-python-runtime-interface-client/pull/176
    """
    return _get(host, RUNTIME + b"/restore/next")


def restore_error_request(host: bytes, error: AdapterError) -> EncodedRequest:
    """Report that a restored environment can't be used."""
    return _post_error(host, RUNTIME + b"/restore/error", error, [])


def error_request(
    host: bytes, invocation: Invocation, error: AdapterError
) -> EncodedRequest:
    """Report that an invocation failed."""
    return _post_error(host, _target(invocation, b"/error"), error, _echo(invocation))


def init_error_request(host: bytes, error: AdapterError) -> EncodedRequest:
    """Report that the application never came up."""
    return _post_error(host, RUNTIME + b"/init/error", error, [])


def register_request(host: bytes, extension: str) -> EncodedRequest:
    """Register as an extension that wants no events.

    Only where an extension is registered does Lambda send SIGTERM before SIGKILL:
    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
    """
    name = (b"lambda-extension-name", extension.encode())
    return _post(host, EXTENSION + b"/register", b'{"events":[]}', [name])


def event_next_request(host: bytes, extension_id: bytes) -> EncodedRequest:
    """Ask for an extension event, which completes the registration and never comes."""
    identifier = (b"lambda-extension-identifier", extension_id)
    return _get(host, EXTENSION + b"/event/next", identifier)


def _target(invocation: Invocation, end: bytes) -> bytes:
    return RUNTIME + b"/invocation/" + invocation.request_id.encode() + end


def _echo(invocation: Invocation) -> Fields:
    if not invocation.invocation_id:
        return []
    value = invocation.invocation_id.encode("latin-1")
    return [(b"lambda-runtime-invocation-id", value)]


def _get(host: bytes, target: bytes, *extra: Field) -> EncodedRequest:
    return encode_request(Request(b"GET", target, [(b"host", host), _AGENT, *extra]))


def _post(host: bytes, target: bytes, body: bytes, extra: Fields) -> EncodedRequest:
    length = (b"content-length", b"%d" % len(body))
    kind = (b"content-type", b"application/json")
    fields = [(b"host", host), _AGENT, length, kind, *extra]
    return encode_request(Request(b"POST", target, fields, body))


def _post_error(
    host: bytes, target: bytes, error: AdapterError, extra: Fields
) -> EncodedRequest:
    # https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror
    kind = (b"lambda-runtime-function-error-type", error.error_type.encode())
    return _post(host, target, encode_error(error), [kind, *extra])


def encode_error(error: AdapterError) -> bytes:
    """Return what Lambda is told of an error, as JSON."""
    report = _ErrorReport(error.report[:MAX_ERROR], error.error_type)
    return msgspec.json.encode(report)

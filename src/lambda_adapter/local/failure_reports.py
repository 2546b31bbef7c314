"""Reports of failures, as runtimes send them. Shell.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror
"""

import base64
import binascii

import msgspec

from lambda_adapter.local.invocation import Failure
from lambda_adapter.local.wire import Exchange

MAX_REPORT = 1_048_576
"""Bytes of a report."""


class _Report(msgspec.Struct, rename="camel"):
    error_message: str = ""
    error_type: str = ""


async def read_failure(exchange: Exchange) -> Failure:
    """Return the failure that a request's body reports, or else its field."""
    kind = exchange.fields.get("lambda-runtime-function-error-type", "")
    return _failure(kind, await exchange.body(MAX_REPORT) or b"")


def failure_in_trailers(exchange: Exchange) -> Failure | None:
    """Return the failure that a stream ended in, if it did.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
    """
    kind = exchange.trailers.get("lambda-runtime-function-error-type")
    if not kind:
        return None
    body = exchange.trailers.get("lambda-runtime-function-error-body", "")
    try:
        return _failure(kind, base64.b64decode(body))
    except binascii.Error:
        return _failure(kind, b"")


def _failure(kind: str, report: bytes) -> Failure:
    try:
        said = msgspec.json.decode(report, type=_Report)
    except msgspec.DecodeError:
        said = _Report(report.decode("utf-8", "replace"))
    return Failure(said.error_type or kind or "Runtime.Unknown", said.error_message)

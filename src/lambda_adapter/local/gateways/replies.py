"""Encode bodies for events and parse replies, as all gateways do."""

import base64
import binascii
import re
from collections.abc import Iterable

import msgspec

from lambda_adapter.http.messages import Fields, Response, end_to_end
from lambda_adapter.local.gateways.gateway import ClientRequest, MalformedReplyError

_TEXT = re.compile(r"text/.*|application/(json|javascript|xml)")
"""Excludes forms, ``+json``, and bodies without a type:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#receive-event-from-load-balancer"""


def text_or_base64_body(arrival: ClientRequest) -> tuple[str, bool]:
    """Return the body, and whether it is base64; REST APIs decide differently."""
    if _TEXT.fullmatch(media_type(arrival)) and not arrival.value(b"content-encoding"):
        try:
            return arrival.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64_body(arrival.body)


def base64_body(body: bytes) -> tuple[str, bool]:
    """Return a body in base64, and whether it is not empty."""
    return base64.b64encode(body).decode(), bool(body)


def media_type(arrival: ClientRequest) -> str:
    """Return the media type of the body, without parameters."""
    return arrival.value(b"content-type").partition(";")[0].strip().lower()


def matches_media_type(media_type: str, patterns: tuple[str, ...]) -> bool:
    """Return whether a media type matches a list of patterns like ``image/*``.

    A type that is itself a pattern, as in ``Accept: */*``, only matches ``*/*``:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
    """
    main = media_type.partition("/")[0]
    return any(
        pattern in {"*/*", media_type}
        or (pattern.endswith("/*") and pattern[:-2] == main)
        for pattern in patterns
    )


Document = dict[str, object]

_WITHOUT_BODY = frozenset({204, 304})
"""https://www.rfc-editor.org/rfc/rfc9110#section-8.6"""


def read_reply(reply: bytes) -> Document:
    """Return a reply that must be a JSON object.

    Raises:
        MalformedReplyError: it is not an object.
    """
    try:
        return msgspec.json.decode(reply, type=Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedReplyError("the reply is not a JSON object") from None


def read_reply_status(document: Document, *, digits: bool = True) -> int:
    """Return the status: a number or, with ``digits``, a string of digits.

    Raises:
        MalformedReplyError: it is neither, or not a valid status.
    """
    said = document.get("statusCode")
    if digits and isinstance(said, str) and said.isdecimal():
        said = int(said)
    if isinstance(said, int) and 200 <= said <= 599 and not isinstance(said, bool):
        return said
    raise MalformedReplyError(f"the reply's statusCode is {said!r}")


def read_reply_body(document: Document, *, decode: bool = True) -> bytes:
    """Return the body, decoded from base64 if the reply says so and ``decode``.

    Raises:
        MalformedReplyError: it is not a string, or not valid base64.
    """
    body = document.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedReplyError("the reply's body is not a string")
    if not (decode and document.get("isBase64Encoded")):
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise MalformedReplyError("the reply's body is not base64") from None


def read_reply_fields(document: Document, key: str) -> Fields:
    """Return the headers of a map of values or of lists, with names unchanged.

    Raises:
        MalformedReplyError: it is not a map.
    """
    values = document.get(key) or {}
    if not isinstance(values, dict):
        raise MalformedReplyError(f"the reply's {key} is not an object")
    return [
        (str(name).encode(), _encode_reply_value(value))
        for name, given in values.items()
        for value in (given if isinstance(given, list) else [given])
    ]


def read_reply_cookies(document: Document) -> Fields:
    """Return the cookies of payload format 2.0.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    cookies = document.get("cookies") or []
    if not isinstance(cookies, list):
        raise MalformedReplyError("the reply's cookies are not a list")
    return [(b"set-cookie", _encode_reply_value(cookie)) for cookie in cookies]


def whole_response(
    status: int, fields: Fields, body: bytes, arrival: ClientRequest, media_type: bytes
) -> Response:
    """Return a response; ``media_type`` is the default."""
    kept = _with_content_type(end_to_end(fields), media_type)
    if arrival.method != "HEAD":  # for HEAD it is the length of the response to GET
        kept = _without_field(kept, b"content-length")
        if status not in _WITHOUT_BODY:
            kept.append((b"content-length", b"%d" % len(body)))
    return Response(status, b"", kept, body)


def streamed_reply_head(prelude: bytes, remapped: bytes = b"") -> Response:
    """Return the head of a streamed response, without its length.

    The application's ``Content-Length`` gets the name ``remapped``, if given:
    https://github.com/cargo-lambda/cargo-lambda/issues/862

    Raises:
        MalformedReplyError: the prelude is invalid.
    """
    said = read_reply(prelude)
    fields = [
        *read_reply_fields(said, "headers"),
        *read_reply_fields(said, "multiValueHeaders"),
        *read_reply_cookies(said),
    ]
    kept: Fields = []
    for name, value in end_to_end(fields):
        if name.lower() != b"content-length":
            kept.append((name, value))
        elif remapped:
            kept.append((remapped, value))
    return Response(
        read_reply_status(said), b"", _with_content_type(kept, b"application/json"), b""
    )


def _with_content_type(fields: Fields, media_type: bytes) -> Fields:
    if any(name.lower() == b"content-type" for name, _ in fields):
        return fields
    return [*fields, (b"content-type", media_type)]


def _without_field(fields: Fields, dropped: bytes) -> Fields:
    return [field for field in fields if field[0].lower() != dropped]


def _encode_reply_value(value: object) -> bytes:
    """Return a JSON value as a header's value, in UTF-8 as gateways send it."""
    if isinstance(value, bool):
        return b"true" if value else b"false"
    return str(value).encode("utf-8", "replace")


def multi_value_map(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return every value of each name."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def comma_joined_map(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the values of each name, joined by commas without a space."""
    return {name: ",".join(values) for name, values in multi_value_map(pairs).items()}

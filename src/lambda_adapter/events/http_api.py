"""Events of API Gateway HTTP APIs with payload format 2.0, and of function URLs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads

Core: no I/O.
"""

import math
from typing import ClassVar

import msgspec

from lambda_adapter.events import target
from lambda_adapter.events.body import decode_body, encode_body
from lambda_adapter.events.event import (
    MAX_FIELDS,
    Event,
    decode_as,
    request_context_field,
)
from lambda_adapter.events.fields import (
    Context,
    added_fields,
    encode_method,
    request_fields,
)
from lambda_adapter.events.pairs import Scalar, single
from lambda_adapter.events.reply import joined, split_cookies
from lambda_adapter.http.messages import Request, Response, end_to_end


class HttpApiEvent(Event, frozen=True):
    """A request to an HTTP API.

    Its path arrives decoded, with a named stage in front; its query as it was sent.
    """

    max_fields: ClassVar[float] = MAX_FIELDS

    request_context: msgspec.Raw
    raw_path: str = "/"
    raw_query_string: str | None = None
    headers: dict[str, Scalar] | None = None
    cookies: list[str] | None = None
    body: str | None = None
    is_base64_encoded: bool | None = None

    def request(self, context: Context) -> Request:
        """Return the request. Duplicate fields arrive joined by commas, and stay so."""
        about = decode_as(self.request_context, _RequestContext)
        method = encode_method(about.http.method)
        body = decode_body(self.body, self.is_base64_encoded)
        query = target.verbatim_query(self.raw_query_string or "")
        fields = request_fields(
            single(self.headers),
            method=method,
            body=body,
            cookies=self.cookies or (),
            host=(about.domain_name or "").encode() or context.host,
            https=True,
            added=added_fields(context, request_context_field(self.request_context)),
        )
        return Request(method, target.join(self._path(), query), fields, body)

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the reply; its status keeps API Gateway from guessing its format."""
        body, is_base64_encoded = encode_body(response)
        rest, cookies = split_cookies(end_to_end(response.fields))
        return msgspec.json.encode(
            _Reply(response.status, joined(rest), cookies, body, is_base64_encoded)
        )

    @classmethod
    def encode_prelude(cls, response: Response) -> bytes:
        """Return what comes before a streamed body, less the delimiter."""
        rest, cookies = split_cookies(end_to_end(response.fields))
        return msgspec.json.encode(_Prelude(response.status, joined(rest), cookies))

    def _path(self) -> bytes:
        return target.encoded_path(self.raw_path)


class FunctionUrlEvent(HttpApiEvent, frozen=True):
    """A request to a function URL: its path arrives encoded, and it can stream."""

    streams: ClassVar[bool] = True
    max_fields: ClassVar[float] = math.inf

    def _path(self) -> bytes:
        return target.verbatim_path(self.raw_path)


class _Http(msgspec.Struct):
    method: str


class _RequestContext(msgspec.Struct, rename="camel"):
    http: _Http
    domain_name: str | None = None


class _Prelude(msgspec.Struct, rename="camel"):
    status_code: int
    headers: dict[str, str]
    cookies: list[str]


class _Reply(_Prelude):
    body: str | bytes
    is_base64_encoded: bool

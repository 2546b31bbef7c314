"""Events of API Gateway HTTP APIs with payload format 2.0, and of function URLs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

import math
from typing import ClassVar

import msgspec

from lambda_adapter.events import target
from lambda_adapter.events.body import encode_body
from lambda_adapter.events.event import MAX_FIELDS, decode_as
from lambda_adapter.events.headers import Scalar, single
from lambda_adapter.events.http_event import HttpEvent, RequestParts
from lambda_adapter.events.reply import split
from lambda_adapter.http.messages import Response


class Http(msgspec.Struct, frozen=True, gc=False):
    """What a context says of HTTP."""

    method: str


class RequestContext(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The part of a context that a request is made of."""

    http: Http
    domain_name: str | None = None


class HttpApiEvent(HttpEvent, frozen=True):
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

    def parts(self) -> RequestParts:
        """Return the parts. Duplicate fields arrive joined by commas, and stay so."""
        context = self.context()
        query = target.verbatim_query(self.raw_query_string or "")
        return RequestParts(
            context.http.method,
            target.join(self._path(), query),
            single(self.headers),
            self.body,
            self.is_base64_encoded,
            self.request_context,
            cookies=self.cookies or (),
            domain=context.domain_name or "",
            https=True,
        )

    def context(self) -> RequestContext:
        """Return the part of the context that a request is made of.

        Raises:
            EventError: it has a value of the wrong type.
        """
        return decode_as(self.request_context, RequestContext)

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the reply; its status keeps API Gateway from guessing its format."""
        body, is_base64_encoded = encode_body(response)
        headers, cookies = split(response.fields)
        return msgspec.json.encode(
            _Reply(response.status, headers, cookies, body, is_base64_encoded)
        )

    @classmethod
    def encode_prelude(cls, response: Response) -> bytes:
        """Return what comes before a streamed body, less the delimiter."""
        return msgspec.json.encode(_Prelude(response.status, *split(response.fields)))

    def _path(self) -> bytes:
        return target.encoded_path(self.raw_path)


class FunctionUrlEvent(HttpApiEvent, frozen=True):
    """A request to a function URL: its path arrives encoded, and it can stream."""

    streams: ClassVar[bool] = True
    max_fields: ClassVar[float] = math.inf

    def _path(self) -> bytes:
        return target.verbatim_path(self.raw_path)


class _Prelude(msgspec.Struct, rename="camel"):
    status_code: int
    headers: dict[str, str]
    cookies: list[str]


class _Reply(_Prelude):
    body: str | bytes
    is_base64_encoded: bool

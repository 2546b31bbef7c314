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
    """The part of ``requestContext.http`` that a request needs."""

    method: str


class RequestContext(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The part of ``requestContext`` that a request needs."""

    http: Http
    domain_name: str | None = None


class HttpApiEvent(HttpEvent, frozen=True):
    """A request to an HTTP API.

    Its path arrives decoded, after the stage if that has a name; its query arrives as
    the client sent it.
    """

    max_fields: ClassVar[float] = MAX_FIELDS
    encode_path = staticmethod(target.encoded_path)

    request_context: msgspec.Raw
    raw_path: str = "/"
    raw_query_string: str | None = None
    headers: dict[str, Scalar] | None = None
    cookies: list[str] | None = None
    body: str | None = None
    is_base64_encoded: bool | None = None

    def parts(self) -> RequestParts:
        """Return the parts. Duplicate headers arrive, and stay, joined by commas."""
        path = self.encode_path(self.raw_path)
        query = target.verbatim_query(self.raw_query_string or "")
        context = self.context()
        return RequestParts(
            context.http.method,
            target.join(path, query),
            single(self.headers),
            self.body,
            self.is_base64_encoded,
            self.request_context,
            cookies=self.cookies or (),
            domain=context.domain_name or "",
            https=True,
        )

    def context(self) -> RequestContext:
        """Return the part of ``requestContext`` that a request needs.

        Raises:
            EventError: a value has the wrong type.
        """
        return decode_as(self.request_context, RequestContext)

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the reply. Without a status, API Gateway would guess its format."""
        body, is_base64_encoded = encode_body(response)
        headers, cookies = split(response.fields)
        return msgspec.json.encode(
            _Reply(response.status, headers, cookies, body, is_base64_encoded)
        )

    @classmethod
    def encode_prelude(cls, response: Response) -> bytes:
        """Return the prelude of a streamed reply, without its delimiter."""
        return msgspec.json.encode(_Prelude(response.status, *split(response.fields)))


class FunctionUrlEvent(HttpApiEvent, frozen=True):
    """A request to a function URL: its path arrives encoded, and it can stream."""

    streams: ClassVar[bool] = True
    max_fields: ClassVar[float] = math.inf
    encode_path = staticmethod(target.verbatim_path)


class _Prelude(msgspec.Struct, rename="camel"):
    status_code: int
    headers: dict[str, str]
    cookies: list[str]


class _Reply(_Prelude):
    body: str | bytes
    is_base64_encoded: bool

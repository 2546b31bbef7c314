"""Events of API Gateway HTTP APIs with payload format 2.0, and of function URLs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads

Core: no I/O.
"""

import msgspec

from lambda_adapter.events import target
from lambda_adapter.events.body import decode_body, encode_body
from lambda_adapter.events.event import Event, decode_as, request_context_field
from lambda_adapter.events.fields import (
    Context,
    Scalar,
    added_fields,
    encode_method,
    request_fields,
    single,
)
from lambda_adapter.events.reply import joined, split_cookies
from lambda_adapter.messages import Request, Response, end_to_end


class HttpApiEvent(Event, frozen=True):
    """A request to an HTTP API or a function URL.

    An HTTP API's path arrives decoded, with a named stage in front; a function URL's
    arrives encoded. The query is the client's own in both.
    """

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
        domain = about.domain_name or ""
        is_function_url = ".lambda-url." in domain
        encode = target.verbatim_path if is_function_url else target.encoded_path
        query = target.verbatim_query(self.raw_query_string or "")
        fields = request_fields(
            single(self.headers),
            method=method,
            body=body,
            cookies=self.cookies or (),
            domain=domain,
            https=True,
            added=added_fields(context, request_context_field(self.request_context)),
        )
        return Request(method, target.join(encode(self.raw_path), query), fields, body)

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the reply; its status keeps API Gateway from guessing its format."""
        body, is_base64_encoded = encode_body(response)
        rest, cookies = split_cookies(end_to_end(response.fields))
        return msgspec.json.encode(
            _Reply(response.status, joined(rest), cookies, body, is_base64_encoded)
        )


class _Http(msgspec.Struct):
    method: str


class _RequestContext(msgspec.Struct, rename="camel"):
    http: _Http
    domain_name: str | None = None


class _Reply(msgspec.Struct, rename="camel"):
    status_code: int
    headers: dict[str, str]
    cookies: list[str]
    body: str | bytes
    is_base64_encoded: bool

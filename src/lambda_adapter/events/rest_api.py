"""Events of API Gateway REST APIs, and of HTTP APIs with payload format 1.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from typing import ClassVar

import msgspec

from lambda_adapter.events import target
from lambda_adapter.events.body import encode_body
from lambda_adapter.events.event import MAX_FIELDS, NULL, decode_as
from lambda_adapter.events.headers import Lists, Scalar, every, text
from lambda_adapter.events.http_event import HttpEvent, RequestParts
from lambda_adapter.events.reply import listed
from lambda_adapter.http.messages import Response


class RestApiEvent(HttpEvent, frozen=True):
    """A request to a REST API: its path arrives encoded, its query decoded."""

    streams: ClassVar[bool] = True
    max_fields: ClassVar[float] = MAX_FIELDS

    http_method: str
    path: str
    headers: dict[str, Scalar] | None = None
    multi_value_headers: Lists | None = None
    query_string_parameters: dict[str, Scalar] | None = None
    multi_value_query_string_parameters: Lists | None = None
    request_context: msgspec.Raw = NULL
    body: str | None = None
    is_base64_encoded: bool | None = None

    def parts(self) -> RequestParts:
        """Return the parts of the request. As in the event, the path has no stage."""
        return RequestParts(
            self.http_method,
            target.join(self._path(), self._query()),
            every(self.multi_value_headers, self.headers),
            self.body,
            self.is_base64_encoded,
            self.request_context,
            domain=self._domain(),
            https=True,
        )

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the reply. API Gateway refuses one with any other key.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
        """
        body, is_base64_encoded = encode_body(response)
        fields = listed(response.fields)
        return msgspec.json.encode(
            _Reply(response.status, fields, body, is_base64_encoded)
        )

    @classmethod
    def encode_prelude(cls, response: Response) -> bytes:
        """Return the prelude of a streamed reply, without its delimiter.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
        """
        fields = listed(response.fields)
        return msgspec.json.encode(_Prelude(response.status, fields))

    def _domain(self) -> str:
        if bytes(self.request_context) == b"null":  # in test events of AWS's console
            return ""
        return decode_as(self.request_context, _RequestContext).domain_name or ""

    def _path(self) -> bytes:
        return target.verbatim_path(self.path)

    def _query(self) -> bytes:
        pairs = every(
            self.multi_value_query_string_parameters, self.query_string_parameters
        )
        return target.encoded_query((name, text(value)) for name, value in pairs)


class HttpApiV1Event(RestApiEvent, frozen=True):
    """A request to an HTTP API in format 1.0: its path arrives decoded."""

    streams: ClassVar[bool] = False

    def _path(self) -> bytes:
        return target.encoded_path(self.path)


class _RequestContext(msgspec.Struct, rename="camel"):
    domain_name: str | None = None


class _Prelude(msgspec.Struct, rename="camel"):
    status_code: int
    multi_value_headers: dict[str, list[str]]


class _Reply(_Prelude):
    body: str | bytes
    is_base64_encoded: bool

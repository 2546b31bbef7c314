"""Events of Application Load Balancers.

An attribute of the target group decides whether headers and query parameters have all
their values or only the last one. A reply has to use the same form as its event.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from typing import ClassVar

import msgspec

from lambda_adapter.events import target
from lambda_adapter.events.body import encode_body
from lambda_adapter.events.event import NULL
from lambda_adapter.events.headers import Lists, Pairs, Scalar, multiple, single, text
from lambda_adapter.events.http_event import HttpEvent, RequestParts
from lambda_adapter.events.reply import listed, single_valued
from lambda_adapter.http.messages import Response, decoded


class AlbEvent(HttpEvent, frozen=True):
    """A request with one value for each header. Path and query arrive encoded."""

    max_reply: ClassVar[int] = 1_048_576
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html:
    "The maximum size of the response JSON that the Lambda function can send is 1 MB".
    """

    max_fields: ClassVar[float] = 32_768
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""

    http_method: str
    path: str = "/"
    headers: dict[str, Scalar] | None = None
    query_string_parameters: dict[str, Scalar] | None = None
    multi_value_headers: Lists | None = None
    multi_value_query_string_parameters: Lists | None = None
    request_context: msgspec.Raw = NULL
    body: str | None = None
    is_base64_encoded: bool | None = None

    def parts(self) -> RequestParts:
        """Return the parts of the request."""
        pairs, parameters = self._pairs()
        query = target.joined_query((name, text(value)) for name, value in parameters)
        return RequestParts(
            self.http_method,
            target.join(target.verbatim_path(self.path), query),
            pairs,
            self.body,
            self.is_base64_encoded,
            self.request_context,
        )

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the reply, each cookie under another spelling of ``Set-Cookie``."""
        body, is_base64_encoded = encode_body(response)
        fields = single_valued(response.fields)
        return msgspec.json.encode(
            _Reply(
                response.status, _description(response), fields, body, is_base64_encoded
            )
        )

    def _pairs(self) -> tuple[Pairs, Pairs]:
        return single(self.headers), single(self.query_string_parameters)


class AlbMultiValueEvent(AlbEvent, frozen=True):
    """A request with every value of each header."""

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the reply, with every value of each header."""
        body, is_base64_encoded = encode_body(response)
        fields = listed(response.fields)
        return msgspec.json.encode(
            _MultiValueReply(
                response.status, _description(response), fields, body, is_base64_encoded
            )
        )

    def _pairs(self) -> tuple[Pairs, Pairs]:
        return (
            multiple(self.multi_value_headers),
            multiple(self.multi_value_query_string_parameters),
        )


class _Reply(msgspec.Struct, rename="camel"):
    status_code: int
    status_description: str
    headers: dict[str, str]
    body: str | bytes
    is_base64_encoded: bool


class _MultiValueReply(msgspec.Struct, rename="camel"):
    status_code: int
    status_description: str
    multi_value_headers: dict[str, list[str]]
    body: str | bytes
    is_base64_encoded: bool


def _description(response: Response) -> str:
    """Return status and reason, such as "200 OK", for servers without a reason too."""
    reason = decoded(response.reason) or _phrase(response.status)
    return f"{response.status} {reason}"


def _phrase(status: int) -> str:
    # Imported late: it would add 0.6 ms to each start, and most servers send a reason.
    import http

    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"

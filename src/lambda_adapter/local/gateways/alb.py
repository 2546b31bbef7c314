"""Application Load Balancers, with and without multi-value headers.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from typing import ClassVar

from lambda_adapter.http.messages import Response
from lambda_adapter.local.gateways.gateway import (
    ACCOUNT,
    REGION,
    ClientRequest,
    EventMeta,
    Gateway,
    MalformedReplyError,
    RefusedError,
    forwarded,
)
from lambda_adapter.local.gateways.replies import (
    multi_value_map,
    read_reply,
    read_reply_body,
    read_reply_fields,
    read_reply_status,
    text_or_base64_body,
    whole_response,
)

MAX_REPLY = 1_048_576
"""Most bytes of a reply's JSON, and of a request's body:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html"""

_TARGET_GROUP = (
    f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:"
    "targetgroup/local/0123456789abcdef"
)
_REASONS = {
    400: "Bad Request",
    413: "Request Entity Too Large",
    502: "Bad Gateway",
}


class Alb(Gateway):
    """A target group that keeps one value for each name: the last one."""

    name: ClassVar[str] = "alb"
    max_body: ClassVar[int] = MAX_REPLY

    def event(self, arrival: ClientRequest, stamp: EventMeta) -> dict[str, object]:
        """Return an event; query and path are as the client sent them."""
        if arrival.value(b"upgrade"):
            raise RefusedError(_error_page(400), "a load balancer accepts no such path")
        fields = [(name.lower(), value) for name, value in forwarded(arrival, stamp)]
        query = [
            (name, value)
            for name, _, value in (
                pair.partition("=") for pair in arrival.query.split("&") if pair
            )
        ]
        body, is_base64_encoded = text_or_base64_body(arrival)
        return {
            "requestContext": {"elb": {"targetGroupArn": _TARGET_GROUP}},
            "httpMethod": arrival.method,
            "path": arrival.path,
            **self._maps(query, fields),
            "body": body,
            "isBase64Encoded": is_base64_encoded,
        }

    def response(self, reply: bytes, arrival: ClientRequest) -> Response:
        """Return the response, from the same map as in the event."""
        if len(reply) > MAX_REPLY:
            raise MalformedReplyError("the reply is larger than 1 MB")
        said = read_reply(reply)
        fields = read_reply_fields(said, self._map)
        kind = b"application/octet-stream"
        status = read_reply_status(said, digits=False)
        return whole_response(status, fields, read_reply_body(said), arrival, kind)

    def failure(self) -> Response:
        """Return a 502 with a page."""
        return _error_page(502)

    def too_large(self) -> Response:
        """Return a 413 with a page."""
        return _error_page(413)

    _map: ClassVar[str] = "headers"

    def _maps(
        self, query: list[tuple[str, str]], fields: list[tuple[str, str]]
    ) -> dict[str, object]:
        return {"queryStringParameters": dict(query), "headers": dict(fields)}


class AlbMultiValue(Alb):
    """A target group with multi-value headers: lists of values."""

    name: ClassVar[str] = "alb-multi-value"

    _map: ClassVar[str] = "multiValueHeaders"

    def _maps(
        self, query: list[tuple[str, str]], fields: list[tuple[str, str]]
    ) -> dict[str, object]:
        return {
            "multiValueQueryStringParameters": multi_value_map(query),
            "multiValueHeaders": multi_value_map(fields),
        }


def _error_page(status: int) -> Response:
    title = f"{status} {_REASONS[status]}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    ).encode()
    fields = [
        (b"server", b"awselb/2.0"),
        (b"content-type", b"text/html"),
        (b"content-length", b"%d" % len(page)),
    ]
    return Response(status, b"", fields, page)

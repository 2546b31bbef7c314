"""REST APIs, with Lambda proxy integration.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from typing import ClassVar
from urllib.parse import parse_qsl

from lambda_adapter.http.messages import Fields, Response
from lambda_adapter.local.gateways.gateway import (
    ACCOUNT,
    REGION,
    ClientRequest,
    EventMeta,
    Gateway,
    MalformedReplyError,
    forwarded,
    json_response,
)
from lambda_adapter.local.gateways.replies import (
    base64_body,
    matches_media_type,
    media_type,
    multi_value_map,
    read_reply,
    read_reply_body,
    read_reply_fields,
    read_reply_status,
    streamed_reply_head,
    whole_response,
)

_KEYS = frozenset(
    {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
)
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format"""

_REMAPPED = {
    name.lower().encode(): f"x-amzn-Remapped-{name}".encode()
    for name in (
        *("Authorization", "Connection", "Content-MD5", "Date", "Expect", "Host"),
        *("Server", "Trailer", "Upgrade", "User-Agent", "Via", "WWW-Authenticate"),
    )
}
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html"""


class RestApi(Gateway):
    """A REST API: maps of values and of lists; bodies are text unless configured."""

    name: ClassVar[str] = "rest-api"
    max_body: ClassVar[int] = 10_485_760
    timeout: ClassVar[float] = 29
    streams: ClassVar[bool] = True

    def event(self, arrival: ClientRequest, stamp: EventMeta) -> dict[str, object]:
        """Return an event of a proxy integration."""
        pairs = [
            (name, value)
            for name, value in forwarded(arrival, stamp)
            if name.lower() != "content-length"
        ]
        query = parse_qsl(arrival.query, keep_blank_values=True)
        body, is_base64_encoded = self._body(arrival)
        return {
            "resource": "/{proxy+}",
            "path": "/" + arrival.path.lstrip("/"),
            "httpMethod": arrival.method,
            "headers": dict(pairs),
            "multiValueHeaders": multi_value_map(pairs),
            "queryStringParameters": dict(query) or None,
            "multiValueQueryStringParameters": multi_value_map(query) or None,
            "pathParameters": {"proxy": arrival.path.strip("/")},
            "stageVariables": None,
            "requestContext": self._context(arrival, stamp),
            "body": body or None,
            "isBase64Encoded": is_base64_encoded,
        }

    def response(self, reply: bytes, arrival: ClientRequest) -> Response:
        """Return the response; refuse keys that the format does not have."""
        said = read_reply(reply)
        if odd := said.keys() - _KEYS:
            raise MalformedReplyError(f"the reply has the key {min(odd)!r}")
        accepted = arrival.value(b"accept").partition(",")[0].partition(";")[0].strip()
        decode = matches_media_type(accepted, self.binary_media_types)
        body = read_reply_body(said, decode=decode)
        fields = _remap_headers(_merge_header_maps(said))
        kind = b"application/json"
        return whole_response(read_reply_status(said), fields, body, arrival, kind)

    def streamed_response(self, prelude: bytes) -> Response:
        """Return the head of a streamed response."""
        head = streamed_reply_head(prelude)
        return Response(head.status, b"", _remap_headers(head.fields), b"")

    def failure(self) -> Response:
        """Return 502."""
        return json_response(502, b'{"message": "Internal server error"}')

    def late(self) -> Response:
        """Return 504."""
        return json_response(504, b'{"message": "Endpoint request timed out"}')

    def _body(self, arrival: ClientRequest) -> tuple[str, bool]:
        # A body without a type counts as JSON:
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
        kind = media_type(arrival) or "application/json"
        if matches_media_type(kind, self.binary_media_types):
            return base64_body(arrival.body)
        return arrival.body.decode("utf-8", "replace"), False

    def _context(self, arrival: ClientRequest, stamp: EventMeta) -> dict[str, object]:
        stage = "prod" if self.stage == "$default" else self.stage
        return {
            "accountId": ACCOUNT,
            "apiId": "local",
            "resourceId": "abc123",
            "resourcePath": "/{proxy+}",
            "path": f"/{stage}{arrival.path}",
            "httpMethod": arrival.method,
            "stage": stage,
            "protocol": "HTTP/1.1",
            "domainName": f"local.execute-api.{REGION}.amazonaws.com",
            "domainPrefix": "local",
            "identity": {
                "sourceIp": arrival.client,
                "userAgent": arrival.value(b"user-agent") or None,
            },
            "requestId": stamp.request_id,
            "extendedRequestId": stamp.request_id[:13],
            "requestTime": stamp.clf,
            "requestTimeEpoch": stamp.time_ms,
        }


def _merge_header_maps(said: dict[str, object]) -> Fields:
    """Return the headers of both maps; a value in both counts once.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
    """
    several = read_reply_fields(said, "multiValueHeaders")
    known = {(name.lower(), value) for name, value in several}
    single = read_reply_fields(said, "headers")
    return [f for f in single if (f[0].lower(), f[1]) not in known] + several


def _remap_headers(fields: Fields) -> Fields:
    return [(_REMAPPED.get(name.lower(), name), value) for name, value in fields]

"""HTTP APIs with payload format 2.0, and function URLs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
"""

import re
from typing import ClassVar
from urllib.parse import parse_qsl, unquote

import msgspec

from lambda_adapter.http.messages import Response
from lambda_adapter.local.gateways.gateway import (
    ACCOUNT,
    REGION,
    ClientRequest,
    EventMeta,
    Gateway,
    RefusedError,
    forwarded,
    json_response,
)
from lambda_adapter.local.gateways.replies import (
    comma_joined_map,
    read_reply,
    read_reply_body,
    read_reply_cookies,
    read_reply_fields,
    read_reply_status,
    streamed_reply_head,
    text_or_base64_body,
    whole_response,
)

_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class HttpApi(Gateway):
    """An HTTP API: the path arrives decoded, and failures become status 500."""

    name: ClassVar[str] = "http-api"
    max_body: ClassVar[int] = 10_485_760
    timeout: ClassVar[float] = 30
    domain: ClassVar[str] = f"local.execute-api.{REGION}.amazonaws.com"
    account: ClassVar[str] = ACCOUNT

    def event(self, arrival: ClientRequest, stamp: EventMeta) -> dict[str, object]:
        """Return an event of format 2.0."""
        path = self._path(arrival.path)
        cookies: list[str] = []
        headers: list[tuple[str, str]] = []
        for name, value in self._fields(arrival, stamp):
            if name == "cookie":
                cookies += [cookie for cookie in value.split("; ") if cookie]
                if not self._keeps_cookies:
                    continue
            headers.append((name, value))
        event: dict[str, object] = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": arrival.query,
            "headers": comma_joined_map(headers),
            "requestContext": self._context(arrival, stamp, path),
        }
        parameters = comma_joined_map(parse_qsl(arrival.query, keep_blank_values=True))
        body, event["isBase64Encoded"] = text_or_base64_body(arrival)
        optional = ("cookies", cookies), ("queryStringParameters", parameters)
        event |= {key: value for key, value in (*optional, ("body", body)) if value}
        return event

    def response(self, reply: bytes, arrival: ClientRequest) -> Response:
        """Return the response; without a status, the whole reply is its body."""
        said = _infer_response(reply)
        if said is None:
            return json_response(200, self._unquoted(reply))
        fields = [*read_reply_fields(said, "headers"), *read_reply_cookies(said)]
        body = read_reply_body(said)
        kind = b"application/json"
        return whole_response(read_reply_status(said), fields, body, arrival, kind)

    def failure(self) -> Response:
        """Return 500."""
        return json_response(500, b'{"message":"Internal Server Error"}')

    def late(self) -> Response:
        """Return 503."""
        return json_response(503, b'{"message":"Service Unavailable"}')

    _keeps_cookies: ClassVar[bool] = False

    def _path(self, path: str) -> str:
        """Return a path decoded twice, cut at a ``?`` that the first time reveals."""
        cut = unquote(path).partition("?")[0]
        if _BARE_PERCENT.search(cut):
            bad_request = json_response(400, b'{"message":"Bad Request"}')
            raise RefusedError(bad_request, "its path has a % without two digits")
        stage = "" if self.stage == "$default" else f"/{self.stage}"
        return stage + unquote(cut)

    def _fields(
        self, arrival: ClientRequest, stamp: EventMeta
    ) -> list[tuple[str, str]]:
        return [(name.lower(), value) for name, value in forwarded(arrival, stamp)]

    def _unquoted(self, reply: bytes) -> bytes:
        return reply

    def _domain(self, arrival: ClientRequest) -> str:
        return arrival.value(b"host").rpartition(":")[0] or self.domain

    def _context(
        self, arrival: ClientRequest, stamp: EventMeta, path: str
    ) -> dict[str, object]:
        domain = self._domain(arrival)
        return {
            "accountId": self.account,
            "apiId": "local",
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": arrival.method,
                "path": unquote(path).rstrip("/") or "/",
                "protocol": "HTTP/1.1",
                "sourceIp": arrival.client,
                "userAgent": arrival.value(b"user-agent"),
            },
            "requestId": stamp.request_id,
            "routeKey": "$default",
            "stage": self.stage,
            "time": stamp.clf,
            "timeEpoch": stamp.time_ms,
        }


class FunctionUrl(HttpApi):
    """A function URL: the path arrives as sent, and replies can be streamed."""

    name: ClassVar[str] = "function-url"
    max_body: ClassVar[int] = 6_291_456
    timeout: ClassVar[float] = Gateway.timeout
    streams: ClassVar[bool] = True
    domain: ClassVar[str] = f"local.lambda-url.{REGION}.on.aws"
    account: ClassVar[str] = "anonymous"

    def streamed_response(self, prelude: bytes) -> Response:
        """Return the head of a streamed response."""
        return streamed_reply_head(prelude, b"x-amzn-Remapped-Content-Length")

    def failure(self) -> Response:
        """Return 502."""
        return json_response(502, b"Internal Server Error")

    def late(self) -> Response:
        """Return 502: the only timeout is Lambda's own."""
        return self.failure()

    _keeps_cookies: ClassVar[bool] = True

    def _path(self, path: str) -> str:
        return path

    def _fields(
        self, arrival: ClientRequest, stamp: EventMeta
    ) -> list[tuple[str, str]]:
        return [
            *super()._fields(arrival, stamp),
            ("x-amzn-tls-version", "TLSv1.3"),
            ("x-amzn-tls-cipher-suite", "TLS_AES_128_GCM_SHA256"),
        ]

    def _unquoted(self, reply: bytes) -> bytes:
        """Return a reply that is not a response, a string without its quotes."""
        try:
            return msgspec.json.decode(reply, type=str).encode()
        except msgspec.DecodeError:
            return reply

    def _domain(self, arrival: ClientRequest) -> str:
        return self.domain


def _infer_response(reply: bytes) -> dict[str, object] | None:
    """Return the reply if it has the format, None if all of it is the body.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.response

    Raises:
        MalformedReplyError: it is not JSON.
    """
    try:
        msgspec.json.decode(reply, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:  # JSON, and no object
        return None
    except msgspec.DecodeError:
        pass
    said = read_reply(reply)
    return said if "statusCode" in said else None

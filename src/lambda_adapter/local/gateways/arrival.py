"""A request at the front door, and what a gateway stamps on its event. Core: no I/O."""

from datetime import UTC, datetime

import msgspec

from lambda_adapter.http.messages import Fields, connection_options, decoded, end_to_end

REGION = "eu-west-1"
ACCOUNT = "123456789012"


class Arrival(msgspec.Struct, frozen=True):
    """A request as its client sent it."""

    method: str
    path: str
    """As sent, still encoded, without the query."""
    query: str
    """As sent; empty where there is none."""
    fields: Fields
    body: bytes = b""
    client: str = "127.0.0.1"
    port: int = 9000

    @property
    def title(self) -> str:
        """Method and target, for people."""
        return f"{self.method} {self.path}" + (f"?{self.query}" if self.query else "")

    def value(self, name: bytes) -> str:
        """Return the first value of a field, or nothing."""
        for each, value in self.fields:
            if each.lower() == name:
                return decoded(value)
        return ""


class Stamp(msgspec.Struct, frozen=True):
    """The clock and the ids of one event."""

    time_ms: int
    """Milliseconds since the epoch."""
    request_id: str
    trace_id: str
    """Such as 1-6aaf0c1a-0123456789abcdef01234567."""

    @property
    def clf(self) -> str:
        """The time in the Common Log Format, as API Gateway writes it."""
        moment = datetime.fromtimestamp(self.time_ms / 1000, UTC)
        return moment.strftime("%d/%b/%Y:%H:%M:%S +0000")


def passed_on(arrival: Arrival) -> list[tuple[str, str]]:
    """Return the fields that are not for one connection only."""
    options = connection_options(arrival.fields)
    return [
        (name.decode(), decoded(value))
        for name, value in end_to_end(arrival.fields)
        if name.lower() not in options
    ]


def forwarded(arrival: Arrival, stamp: Stamp) -> list[tuple[str, str]]:
    """Return the fields, with what a gateway says of its client.

    The front door speaks HTTP, so the protocol is ``http``, where API Gateway and
    function URLs speak HTTPS alone:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    before: list[str] = []
    rest: list[tuple[str, str]] = []
    for name, value in passed_on(arrival):
        match name.lower():
            case "x-forwarded-for":
                before.append(value)
            case "x-forwarded-port" | "x-forwarded-proto" | "x-amzn-trace-id":
                pass
            case _:
                rest.append((name, value))
    return [
        *rest,
        ("X-Forwarded-For", ", ".join([*before, arrival.client])),
        ("X-Forwarded-Port", str(arrival.port)),
        ("X-Forwarded-Proto", "http"),
        ("X-Amzn-Trace-Id", f"Root={stamp.trace_id}"),
    ]

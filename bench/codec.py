"""Translation alone: each event file to a request, a response to its reply. No I/O."""

import timeit

from bench.harness.run import Defaults, Run
from bench.harness.subjects import PROJECT
from lambda_adapter.events.classify import classify
from lambda_adapter.events.event import Context, Event
from lambda_adapter.http.encoding import encode_request
from lambda_adapter.http.messages import Response

DEFAULTS = Defaults(("ours",), rounds=7, invocations=1_000, cores=(1,))

CONTEXT = Context(
    b'{"request_id":"4ae0f1b2-7d1c-4d3e-9a53-2a6a3f1b6c5e","deadline":1790000000000}',
    b"Root=1-665f0c1a-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0",
    b"",
    b"/events",
)
"""What the adapter adds to a request."""

FIELDS = [(b"content-type", b"application/json"), (b"set-cookie", b"session=abc")]
RESPONSE = Response(200, b"OK", FIELDS, b'{"greeting": "Hello there"}')


def measure(run: Run) -> None:
    """Measure how long each event file takes, there and back."""
    for file in sorted((PROJECT / "tests" / "data" / "events").glob("*.json")):
        payload = file.read_bytes()
        kind = classify(payload)

        def decode(payload: bytes = payload) -> None:
            event = classify(payload).decode(payload)
            encode_request(event.request(CONTEXT))

        def encode(kind: type[Event] = kind) -> None:
            kind.encode_response(RESPONSE)

        for metric, work in ("event to request", decode), ("response to reply", encode):
            times = timeit.repeat(work, repeat=run.rounds, number=run.invocations)
            for seconds in times:
                microseconds = seconds / run.invocations * 1e6
                run.add(file.stem, 1, metric, "µs", "ours", microseconds)

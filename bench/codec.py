"""Translation alone: each event file to a request, a response to its reply. No I/O."""

import timeit

from bench.harness.events import EVENTS, request
from bench.harness.run import Defaults, Run
from lambda_adapter import events
from lambda_adapter.http.http1 import encode_request
from lambda_adapter.http.messages import Response

DEFAULTS = Defaults(subjects=("ours",), rounds=7, invocations=1_000, cores=(1,))

RESPONSE = Response(
    200,
    b"OK",
    [
        (b"content-type", b"application/json"),
        (b"content-length", b"27"),
        (b"server", b"uvicorn"),
        (b"set-cookie", b"session=abc; HttpOnly"),
    ],
    b'{"greeting": "Hello there"}',
)


def measure(run: Run) -> None:
    """Measure how long each event file takes, there and back."""
    for file in sorted(EVENTS.glob("*.json")):
        run.say(f"{file.stem}")
        payload = file.read_bytes()
        kind = events.classify(payload)
        works = {
            "event to request": lambda payload=payload: encode_request(
                request(payload)
            ),
            "response to reply": lambda kind=kind: kind.encode_response(RESPONSE),
        }
        for metric, work in works.items():
            times = timeit.repeat(work, repeat=run.rounds, number=run.invocations)
            for seconds in times:
                value = seconds / run.invocations * 1e6
                run.add((file.stem, 1, "ours"), metric, "µs", value)

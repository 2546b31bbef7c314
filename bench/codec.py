"""Translation alone: each event file to a request, a response to its reply. No I/O."""

import timeit
from collections.abc import Callable
from pathlib import Path

from bench.payloads import CONTEXT, EVENTS
from bench.plan import Plan
from bench.results import Series
from lambda_adapter import events
from lambda_adapter.http.http1 import encode_head
from lambda_adapter.http.messages import Response

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


def measure(plan: Plan, advance: Callable[[str], None]) -> list[Series]:
    """Return how long each event file takes, there and back."""
    series = []
    for file in sorted(EVENTS.glob("*.json")):
        advance(f"codec: {file.stem}")
        for metric, work in _works(file).items():
            count = plan.invocations
            rounds = timeit.repeat(work, repeat=plan.rounds, number=count)
            series.append(
                Series(
                    bench="codec",
                    case=file.stem,
                    cores=1,
                    subject="ours",
                    metric=metric,
                    unit="µs",
                    rounds=[seconds / count * 1e6 for seconds in rounds],
                )
            )
    return series


def steps(_plan: Plan) -> int:
    """Return how often ``measure`` advances."""
    return len(list(EVENTS.glob("*.json")))


def _works(file: Path) -> dict[str, Callable[[], object]]:
    payload = file.read_bytes()
    kind = events.classify(payload)
    return {
        "event to request": lambda: encode_head(
            events.classify(payload).decode(payload).request(CONTEXT)
        ),
        "response to reply": lambda: kind.encode_response(RESPONSE),
    }

"""Judge the outcomes of requests, sent directly and through each gateway."""

from collections.abc import Iterator, Sequence

import msgspec

from lambda_adapter.local.check.finding import Finding, failure, passed, warning

GATEWAY_LIMIT = 29.0
"""A REST API's timeout in seconds; an HTTP API's is 30."""

SLOW = 3.0
"""Seconds beyond which a request is reported as slow."""

LATE = 504
"""The adapter's status for a response that is not there before the deadline."""

_STREAMS = ("text/event-stream", "application/x-ndjson", "multipart/x-mixed-replace")


class Timing(msgspec.Struct, frozen=True):
    """How long a response took."""

    seconds: float
    complete: bool
    first_byte: float
    size: int
    media_type: str
    limit: float
    """Timeout of the request."""
    is_broken: bool = False
    """Whether it broke off before its end."""


def judge_timing(
    path: str, timing: Timing, *, streamed: bool = False
) -> Iterator[Finding]:
    """Judge whether a response ends, and ends in time.

    If replies are ``streamed``, a slow one is fine.
    """
    if streamed and timing.size:
        return
    if timing.is_broken:
        yield judge_broken(path, timing.size)
        return
    began = timing.first_byte < timing.limit * 0.9
    streams = timing.media_type.partition(";")[0].strip() in _STREAMS
    if streams or (not timing.complete and timing.size and began):
        yield _stream(path, timing, make_failure=not timing.complete)
    elif not timing.complete and timing.size == 0:
        yield failure(
            "slow",
            f"GET {path}: no response within {timing.limit:.0f} s",
            on_lambda="an HTTP API gives up after 30 s, a REST API after 29 s, and"
            " Lambda at the function's timeout, which ends the environment",
            cure="respond with 202, and continue in a queue's consumer; Timeout: 30",
            page="how-to/background-work.md",
        )
    elif timing.seconds > SLOW:
        make = failure if timing.seconds > GATEWAY_LIMIT else warning
        yield make(
            "slow",
            f"GET {path} takes {timing.seconds:.1f} s",
            seen=f"the first byte after {timing.first_byte:.1f} s",
            on_lambda="an HTTP API gives up after 30 s, a REST API after 29 s; each"
            " millisecond is billed",
            cure="a larger MemorySize if it computes; a queue if it works for long",
            page="how-to/background-work.md",
        )
    elif timing.complete and timing.seconds - timing.first_byte > 1:
        yield _stream(path, timing, make_failure=False)


def _stream(path: str, timing: Timing, *, make_failure: bool) -> Finding:
    make = failure if make_failure else warning
    ends = "" if timing.complete else f", and has not ended after {timing.limit:.0f} s"
    kind = timing.media_type or "no media type"
    return make(
        "streaming",
        f"GET {path} streams its response{ends}",
        seen=f"{kind}: {timing.size:,} bytes in {timing.seconds:.1f} s",
        on_lambda="HTTP APIs and load balancers send nothing until all of it is there,"
        " and nothing at all if it does not end before the timeout",
        cure="ENV AWS_LWA_INVOKE_MODE=response_stream, behind a function URL"
        " (InvokeMode: RESPONSE_STREAM) or a REST API (responseTransferMode: STREAM)",
        page="how-to/streaming.md",
    )


class Compared(msgspec.Struct, frozen=True):
    """The parts of a response that do not depend on how it was requested."""

    status: int
    media_type: str
    location: str
    cookies: int
    body: bytes | None
    """None if it changes with each request."""


def judge_difference(
    path: str, gateway: str, direct: Compared, through: Compared, why: str
) -> Iterator[Finding]:
    """Return findings for differences between a direct and a gateway's response."""
    for name, one, other in (
        ("status", direct.status, through.status),
        ("Content-Type", direct.media_type, through.media_type),
        ("Location", direct.location, through.location),
        ("number of cookies", direct.cookies, through.cookies),
        ("body", direct.body, through.body),
    ):
        if one == other or (name == "body" and None in (one, other)):
            continue
        if name == "Content-Type" and not one:
            continue  # gateways add one
        seen = f"{one!r} directly, {other!r} through it"
        if isinstance(one, bytes) and isinstance(other, bytes):
            seen = f"{len(one):,} bytes directly, {len(other):,} through it"
        yield warning(
            "gateway",
            f"GET {path}: another {name} through {gateway}",
            seen=f"{seen}{'; ' + why if why else ''}"[:400],
            on_lambda=f"clients of {gateway} get that",
            cure="--gateway another one, or see what that gateway changes",
            page="reference/events.md",
        )
        return


def judge_asked(asked: int, left: str, most: int, skipped: Sequence[str]) -> Finding:
    """Return how many paths were asked, and which were not, and why.

    Args:
        asked: how many paths were asked.
        left: how many links were not followed, in words; empty for none.
        most: paths that are asked at most.
        skipped: paths whose names say that they change something.
    """
    said = [f"requested {asked:,} {'path' if asked == 1 else 'paths'}"]
    if left:
        said.append(f"{left} links not followed, beyond --crawl {most - 1}")
    if skipped:
        shown = ", ".join(skipped[:3])
        more = f" and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
        said.append(f"not requested, for their names: {shown}{more}")
    return passed("requests", "; ".join(said))


def judge_failed(path: str, status: int, line: str) -> Finding:
    """Return the finding for a request that fails in the application itself."""
    return failure(
        "request-failure",
        f"GET {path} returns {status} in the sandbox",
        seen=line,
        on_lambda="clients get that status",
        cure="run it with `lambda-adapter local --sandbox` and see its log",
    )


def judge_broken(path: str, size: int) -> Finding:
    """Return the finding of a response that ends before it is complete."""
    return failure(
        "request-failure",
        f"GET {path}: the response breaks off after {size:,} bytes",
        seen="fewer bytes than its Content-Length, or no last chunk",
        on_lambda="clients get a 502",
        cure="send what Content-Length says, or leave it out",
    )


def judge_crash(path: str, why: str, line: str) -> Finding:
    """Return the finding for a request that makes the application exit."""
    return failure(
        "crash",
        f"GET {path} ends the application",
        seen=line or why,
        on_lambda="the request gets a 502, and the next one waits for a cold start",
        cure="mend what ends the process; the log's last line is above",
        page="when-something-fails.md",
    )


def judge_worker_crash(path: str, name: str, line: str) -> Finding:
    """Return the finding for a request that ends a worker, and not the application."""
    return failure(
        "crash",
        f"GET {path} ends the worker that serves it ({name})",
        seen=line,
        on_lambda="the request gets a 502, and so do all others of that worker",
        cure="mend what ends the process; the log's last line is above",
        page="when-something-fails.md",
    )


def judge_websocket(path: str) -> Finding:
    """Return the finding for a path that accepts a WebSocket."""
    return warning(
        "websocket",
        f"GET {path} accepts a WebSocket",
        seen="101 Switching Protocols",
        on_lambda="no gateway passes one on to a function that serves HTTP: clients get"
        " 400 or 426",
        cure="server-sent events with AWS_LWA_INVOKE_MODE=response_stream, or API"
        " Gateway's WebSocket API, whose messages come as events",
        page="how-to/events.md",
    )


def judge_request_headers(size: int, plain: int, large: int) -> Iterator[Finding]:
    """Judge whether the server accepts headers as large as a gateway does.

    A response that is late says nothing about it.
    """
    if large not in {plain, LATE} and (large >= 400 or not large):
        got = f"status {large}" if large else "a closed connection"
        yield warning(
            "request-headers",
            f"headers of {size:,} bytes get {got} from the application",
            seen=f"status {plain} with short ones",
            on_lambda="API Gateway lets 10,240 bytes through, a load balancer 64 KB,"
            " and the adapter adds the request's context, 1 KB and more",
            cure="raise the server's limit: gunicorn --limit-request-field_size, node"
            " --max-http-header-size, server.max-http-request-header-size",
            page="reference/events.md",
        )


def judge_late(path: str, after: int, seconds: float, *, ended: bool) -> Finding:
    """Judge the request after a late one."""
    if ended:
        return warning(
            "late-request",
            f"a late GET {path} ends its environment",
            on_lambda="the next request waits for a cold start",
            cure="more workers or threads, so that the server lives on",
        )
    return failure(
        "late-request",
        f"after a late GET {path}, the next request gets"
        f" {after or 'no response'} after {seconds:.1f} s",
        on_lambda="an environment whose only worker is busy serves nobody until it is"
        " free, and is paid for all the while",
        cure="more workers or threads, and a timeout in the application that is shorter"
        " than the function's",
        page="how-to/background-work.md",
    )

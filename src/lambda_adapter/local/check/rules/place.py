"""Judge where an application listens, and its readiness path."""

from collections.abc import Iterator, Sequence

from lambda_adapter.local.check.finding import Finding, failure, passed, warning

RESERVED = {
    9001: "Lambda's Runtime API",
    2773: "AWS's extension for parameters and secrets",
}
"""Ports that Lambda itself uses: docs/reference/ports.md."""

DEFAULT_PORT = 8080

ROOTS = 1_024
"""First port that does not need root."""


def judge_port(wanted: int, found: int, *, wanted_by_user: bool = False) -> Finding:
    """Judge an application that listens on another port than $PORT."""
    if found < ROOTS:
        return failure(
            "port",
            f"listens on port {found}, which only root may use",
            seen=f"PORT is {wanted}",
            on_lambda="bind fails with EACCES: the function is not root",
            cure="listen on $PORT",
            page="reference/ports.md",
        )
    if found in RESERVED:
        return judge_reserved(found)
    if found == DEFAULT_PORT and not wanted_by_user:
        return passed(
            "port",
            f"listens on {found}, the adapter's default, whatever PORT says",
            f"PORT was {wanted}",
        )
    return failure(
        "port",
        f"ignores $PORT, and listens on port {found}",
        seen=f"PORT was {wanted}",
        on_lambda="the adapter waits at $PORT (8080 unless it is set) until init times"
        " out after 10 s",
        cure=f"listen on $PORT, or ENV AWS_LWA_PORT={found}",
        page="reference/ports.md",
    )


def judge_random_port(seen: str, ports: Sequence[int]) -> Finding:
    """Judge an application that listens on another port with each start.

    Args:
        seen: what PORT was.
        ports: where it listened instead, start by start.
    """
    return failure(
        "port",
        "ignores $PORT, and listens on another port with each start",
        seen=f"{seen}, and it listened on {' and then on '.join(map(str, ports))}",
        on_lambda="the adapter waits at $PORT (8080 unless it is set) until init times"
        " out after 10 s",
        cure="listen on $PORT",
        page="reference/ports.md",
    )


def judge_reserved(port: int) -> Finding:
    """Judge an application that listens on one of Lambda's ports."""
    return failure(
        "reserved-port",
        f"listens on port {port}, which is that of {RESERVED[port]}",
        on_lambda="there, bind fails with EADDRINUSE: Address already in use",
        cure="listen on $PORT",
        page="reference/ports.md",
    )


def judge_address(host: str, port: int, wanted: str) -> Finding:
    """Judge an application that listens on another address."""
    return failure(
        "address",
        f"listens at {host}, and not at {wanted}",
        seen=f"{host}:{port}",
        on_lambda=f"the adapter asks {wanted}, gets no connection, and init times out"
        " after 10 s",
        cure=f"listen at 0.0.0.0 or 127.0.0.1, or ENV AWS_LWA_HOST={host}",
        page="reference/ports.md",
    )


def judge_host(path: str, host: str, refused: int, local: int) -> Finding:
    """Return what it means that a Host of Lambda's is refused, and localhost is not."""
    got = f"status {refused}" if refused else "no response"
    return failure(
        "host",
        f"GET {path} gets {got} with the Host of a gateway, {local} with localhost",
        seen=f"Host: {host}",
        on_lambda="every request has the gateway's Host, or that of your domain",
        cure="allow it: ALLOWED_HOSTS in Django, config.hosts in Rails, server_name in"
        " nginx",
        page="how-to/django.md",
    )


def judge_unix_socket(path: str) -> Finding:
    """Return what it means that an application listens at a Unix socket alone."""
    return failure(
        "address",
        f"listens at the Unix socket {path}, and at no port",
        on_lambda="the adapter waits at $PORT until init times out after 10 s",
        cure=f"listen on $PORT, or ENV AWS_LWA_UNIX_SOCKET={path}",
        page="reference/ports.md",
    )


def judge_readiness(
    path: str, status: int, seconds: float, *, ready: bool
) -> Iterator[Finding]:
    """Judge the response of the readiness path."""
    cure = "ENV AWS_LWA_READINESS_CHECK_PATH=/a/path/that/returns/200"
    other = f"{cure}, or AWS_LWA_READINESS_CHECK_HEALTHY_STATUS={status or 200}"
    if status == 500 or not status:
        other = f"see what fails: lambda-adapter local --sandbox; or {cure}"
    slow = 1.0
    if not ready:
        said = f"status {status}" if status else f"no response in {seconds:.1f} s"
        yield failure(
            "readiness",
            f"never ready: GET {path} returns {said}",
            on_lambda="the adapter waits for a status below 500; init times out after"
            " 10 s",
            cure=other,
            page="reference/settings.md",
        )
    elif 400 <= status < 500:
        yield warning(
            "readiness",
            f"readiness: GET {path} returns {status}, which is taken for ready",
            on_lambda="the first request may come before the application can serve it",
            cure=cure,
            page="reference/settings.md",
        )
    elif seconds > slow:
        yield warning(
            "readiness",
            f"readiness: GET {path} takes {seconds:.1f} s",
            on_lambda="each check takes that long, and it is part of every cold start",
            cure=cure,
            page="reference/settings.md",
        )
    else:
        yield passed("readiness", f"ready: GET {path} returns {status}")

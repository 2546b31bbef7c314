"""The trivial application again, for WSGI in the adapter's process."""

from collections.abc import Callable, Iterable
from typing import Any


def app(
    environ: dict[str, Any], start_response: Callable[..., object]
) -> Iterable[bytes]:
    """Answer with the body of a POST, and "ok" to anything else."""
    body = b"ok"
    if environ["REQUEST_METHOD"] == "POST":
        body = environ["wsgi.input"].read()
    fields = [
        ("Content-Type", "application/octet-stream"),
        ("Content-Length", str(len(body))),
    ]
    start_response("200 OK", fields)
    return [body]

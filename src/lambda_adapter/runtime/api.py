"""The words of Lambda's Runtime API and Extensions API: requests, invocations, errors.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html

Core: no I/O.
"""

import re

import msgspec

from lambda_adapter.errors import AdapterError
from lambda_adapter.http.known import remember
from lambda_adapter.http.messages import Response

MAX_EVENT = 33_554_432
"""Bytes of an event that are taken. Lambda's own limit is 6 MB; this one only keeps a
broken Runtime API from filling the memory."""

DELIMITER = bytes(8)
"""What parts a streamed response's prelude from its body; JSON has no such bytes."""

RUNTIME = b"/2018-06-01/runtime"
EXTENSION = b"/2020-01-01/extension"


class Invocation(msgspec.Struct, frozen=True, gc=False):
    """One event, and what Lambda says about it.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-next
    Everything but the request id and the payload is ``""`` (0) where Lambda is silent.
    """

    request_id: str
    payload: bytes
    deadline_ms: int = 0
    """Milliseconds since the epoch."""
    function_arn: str = ""
    trace_id: str = ""
    client_context: str = ""
    """JSON, by the mobile SDK or whoever may invoke the function."""
    cognito_identity: str = ""
    """JSON."""
    tenant_id: str = ""
    invocation_id: str = ""
    """A nonce to be sent back with the reply, so that a late reply to an earlier try
    can't be taken for this one's (https://github.com/aws/aws-lambda-python-runtime-interface-client/pull/214)."""


class UnusableResponseError(AdapterError):
    """The Runtime API said something that no invocation can be made of."""


_SAID = {
    b"lambda-runtime-aws-request-id": 0,
    b"lambda-runtime-deadline-ms": 1,
    b"lambda-runtime-invoked-function-arn": 2,
    b"lambda-runtime-trace-id": 3,
    b"lambda-runtime-client-context": 4,
    b"lambda-runtime-cognito-identity": 5,
    b"lambda-runtime-aws-tenant-id": 6,
    b"lambda-runtime-invocation-id": 7,
}
"""The fields of ``/next`` that an invocation is made of, and their places in it."""

_known_places: dict[bytes, int] = {}
"""The same for names in any case, and -1 for those of all other fields."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]+")
_MILLISECONDS = re.compile(r"[0-9]{1,18}")


def parse_next(response: Response) -> Invocation:
    """Read the response to ``GET /runtime/invocation/next``.

    Raises:
        UnusableResponseError: it is not an invocation.
    """
    said = [""] * len(_SAID)
    for name, value in response.fields:
        place = _known_places.get(name)
        if place is None:
            place = remember(_known_places, name, _SAID.get(name.lower(), -1))
        if place >= 0:
            said[place] = value.decode("latin-1")
    request_id, deadline, *others = said
    if response.status != 200 or not isinstance(response.body, bytes):
        raise UnusableResponseError(f"/next brought status {response.status}")
    if not _REQUEST_ID.fullmatch(request_id):
        raise UnusableResponseError(f"/next came with the request id {request_id!r}")
    deadline_ms = int(deadline) if _MILLISECONDS.fullmatch(deadline) else 0
    return Invocation(request_id, response.body, deadline_ms, *others)

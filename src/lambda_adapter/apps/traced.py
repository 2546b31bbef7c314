"""AWS_LWA_TRACEPARENT: requests without a trace context get one. Core: no I/O."""

import msgspec

from lambda_adapter.apps.app import Around, Turn
from lambda_adapter.http.messages import Fields, Request, Response
from lambda_adapter.observe.trace import called_with, traceparent_of


class Traced(Around):
    """Adds the caller's trace context, or Lambda's trace in its form."""

    async def send(self, request: Request, turn: Turn) -> Response:
        """Send the request, with a trace context if there is one to be had.

        A client's ``tracestate`` without a ``traceparent`` belongs to none:
        https://www.w3.org/TR/trace-context/#tracestate-header
        """
        given = {name.lower() for name, _ in request.fields}
        if b"traceparent" not in given:
            fields = [(n, v) for n, v in request.fields if n.lower() != b"tracestate"]
            given.discard(b"tracestate")
            fields += [(n, v) for n, v in _context(turn) if n not in given]
            request = msgspec.structs.replace(request, fields=fields)
        return await self._seat.send(request, turn)


def _context(turn: Turn) -> Fields:
    """Return the caller's trace context, and Lambda's trace where that names none."""
    context = called_with(turn.invocation.client_context)
    traceparent = traceparent_of(turn.invocation.trace_id)
    if traceparent and b"traceparent" not in dict(context):
        context.append((b"traceparent", traceparent.encode()))
    return context

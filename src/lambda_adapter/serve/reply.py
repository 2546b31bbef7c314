"""What is posted for a response: the reply, or a stream's beginning. Shell: it logs."""

from lambda_adapter.apps.app import Turn
from lambda_adapter.events.limits import find_wide_fields, within_limit
from lambda_adapter.http.messages import Response
from lambda_adapter.observe.logs import log, warn_once


def encode(turn: Turn, response: Response) -> bytes:
    """Return the reply, or what comes before the body of a streamed one.

    Raises:
        ResponseTooLargeError: the reply's source would not take it.
    """
    kind = turn.kind
    if turn.streamed:
        reply = kind.encode_prelude(response)
    else:
        reply = within_limit(kind, kind.encode_response(response))
    if warning := find_wide_fields(kind, response, len(reply)):
        log.warning("%s", warning)
    if remark := kind.remark(response, reply):
        warn_once(remark)
    return reply

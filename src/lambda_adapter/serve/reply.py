"""What is posted for a response: the reply, or a stream's beginning. Shell."""

from lambda_adapter.apps.app import Turn
from lambda_adapter.events.limits import find_wide_fields, within_limit
from lambda_adapter.http.messages import Response
from lambda_adapter.observe.logs import log


async def encode(turn: Turn, response: Response) -> bytes:
    """Return the reply, or what comes before the body of a streamed one.

    Raises:
        ResponseTooLargeError: the reply's source would not take it.
    """
    kind = turn.kind
    reply = (
        await _encode_prelude(turn, response)
        if turn.streamed
        else within_limit(kind, kind.encode_response(response))
    )
    if warning := find_wide_fields(kind, response, len(reply)):
        log.warning("%s", warning)
    return reply


async def _encode_prelude(turn: Turn, response: Response) -> bytes:
    try:
        return turn.kind.encode_prelude(response)
    except Exception:
        if not isinstance(response.body, bytes):
            await response.body.aclose()
        raise

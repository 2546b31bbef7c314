"""Events of API Gateway WebSocket APIs, handed on like those that are not HTTP.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html

Core: no I/O.
"""

import msgspec

from lambda_adapter.events.event import decode_as, request_context_field
from lambda_adapter.events.pass_through import PassThroughEvent


class WebSocketEvent(PassThroughEvent, frozen=True):
    """A connection that opens or closes, or a message on it.

    The reply is the application's body, as for any event that is not HTTP, so it is the
    application that writes ``{"statusCode": 200}`` to let a connection in.
    """

    def _request_context(self) -> bytes:
        return request_context_field(decode_as(self.payload, _Shape).request_context)


class _Shape(msgspec.Struct, rename="camel"):
    request_context: msgspec.Raw

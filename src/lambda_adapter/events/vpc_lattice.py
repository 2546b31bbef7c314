"""Events of VPC Lattice, in both versions.

https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
"""

import msgspec

from lambda_adapter.events import target
from lambda_adapter.events.body import encode_body
from lambda_adapter.events.event import NULL
from lambda_adapter.events.headers import Scalar, multiple, text
from lambda_adapter.events.http_event import HttpEvent, RequestParts
from lambda_adapter.events.reply import single_valued
from lambda_adapter.http.messages import Response

Values = dict[str, Scalar | list[Scalar]]


class VpcLatticeEvent(HttpEvent, frozen=True):
    """A request in version 2: values are lists, but single ones have been seen too."""

    method: str
    path: str = "/"
    headers: Values | None = None
    query_string_parameters: Values | None = None
    request_context: msgspec.Raw = NULL
    body: str | None = None
    is_base64_encoded: bool | None = None

    def parts(self) -> RequestParts:
        """Return the parts. A query in the path is as the client sent it."""
        path, mark, query = self.path.partition("?")
        parameters = multiple(self.query_string_parameters)
        encoded = (
            target.verbatim_query(query)
            if mark
            else target.encoded_query((name, text(value)) for name, value in parameters)
        )
        return RequestParts(
            self.method,
            target.join(target.verbatim_path(path), encoded),
            multiple(self.headers),
            self.body,
            self.is_base64_encoded,
            self.request_context,
        )

    @classmethod
    def encode_response(cls, response: Response) -> bytes:
        """Return the reply."""
        body, is_base64_encoded = encode_body(response)
        fields = single_valued(response.fields)
        return msgspec.json.encode(
            _Reply(response.status, fields, body, is_base64_encoded)
        )


class VpcLatticeV1Event(VpcLatticeEvent, frozen=True):
    """A request in version 1: names in snake case, and no ``requestContext``."""

    path: str = msgspec.field(default="/", name="raw_path")
    query_string_parameters: Values | None = msgspec.field(
        default=None, name="query_string_parameters"
    )
    is_base64_encoded: bool | None = msgspec.field(
        default=None, name="is_base64_encoded"
    )


class _Reply(msgspec.Struct, rename="camel"):
    status_code: int
    headers: dict[str, str]
    body: str | bytes
    is_base64_encoded: bool

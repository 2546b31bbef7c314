"""VPC Lattice, with event structure version 2.

https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html

What that page does not say is not known; here it behaves like a load balancer.
"""

from typing import ClassVar
from urllib.parse import parse_qsl

from lambda_adapter.http.messages import Response
from lambda_adapter.local.gateways.gateway import (
    ACCOUNT,
    REGION,
    ClientRequest,
    EventMeta,
    Gateway,
    json_response,
    passed_on,
)
from lambda_adapter.local.gateways.replies import (
    multi_value_map,
    read_reply,
    read_reply_body,
    read_reply_fields,
    read_reply_status,
    text_or_base64_body,
    whole_response,
)

_LATTICE = f"arn:aws:vpc-lattice:{REGION}:{ACCOUNT}"


class VpcLattice(Gateway):
    """A target group of VPC Lattice: lists of values, names in lower case."""

    name: ClassVar[str] = "vpc-lattice"
    max_body: ClassVar[int] = 6_291_456

    def event(self, arrival: ClientRequest, stamp: EventMeta) -> dict[str, object]:
        """Return an event of version 2."""
        pairs = [(name.lower(), value) for name, value in passed_on(arrival)]
        before = [value for name, value in pairs if name == "x-forwarded-for"]
        rest = [pair for pair in pairs if pair[0] != "x-forwarded-for"]
        rest.append(("x-forwarded-for", ", ".join([*before, arrival.client])))
        body, is_base64_encoded = text_or_base64_body(arrival)
        return {
            "version": "2.0",
            "path": arrival.path,
            "method": arrival.method,
            "headers": multi_value_map(rest),
            "queryStringParameters": multi_value_map(
                parse_qsl(arrival.query, keep_blank_values=True)
            ),
            "body": body or None,
            "isBase64Encoded": is_base64_encoded,
            "requestContext": {
                "serviceNetworkArn": f"{_LATTICE}:servicenetwork/sn-0123456789abcdef0",
                "serviceArn": f"{_LATTICE}:service/svc-0123456789abcdef0",
                "targetGroupArn": f"{_LATTICE}:targetgroup/tg-0123456789abcdef0",
                "identity": {
                    "sourceVpcArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-local"
                },
                "region": REGION,
                "timeEpoch": str(stamp.time_ms * 1000),
            },
        }

    def response(self, reply: bytes, arrival: ClientRequest) -> Response:
        """Return the response."""
        said = read_reply(reply)
        fields = read_reply_fields(said, "headers")
        kind = b"application/octet-stream"
        status = read_reply_status(said)
        return whole_response(status, fields, read_reply_body(said), arrival, kind)

    def failure(self) -> Response:
        """Return 502."""
        return json_response(502, b'{"message":"Bad Gateway"}')

"""Example events for trying out an application.

They have the shapes that AWS documents for each service:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html
"""

from lambda_adapter.local.gateways import GATEWAYS
from lambda_adapter.local.gateways.gateway import (
    ACCOUNT,
    REGION,
    ClientRequest,
    EventMeta,
)

_ID = "11111111-2222-3333-4444-555555555555"
_TIME = "2026-01-02T03:04:05.678Z"
_TIME_MS = 1_767_323_045_678
_SOURCE = f"{REGION}:{ACCOUNT}:example"
_BASE64 = "eyJvcmRlciI6IDd9"
"""The text {"order": 7}."""

_SQS: dict[str, object] = {
    "messageId": _ID,
    "receiptHandle": "example",
    "body": '{"order": 7}',
    "attributes": {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": str(_TIME_MS),
        "SenderId": "AIDAEXAMPLE",
        "ApproximateFirstReceiveTimestamp": str(_TIME_MS),
    },
    "messageAttributes": {},
    "md5OfBody": "7fa20081ee1217af020c02f44b6a3f91",
    "eventSource": "aws:sqs",
    "eventSourceARN": f"arn:aws:sqs:{_SOURCE}",
    "awsRegion": REGION,
}
_SNS: dict[str, object] = {
    "EventSource": "aws:sns",
    "EventVersion": "1.0",
    "EventSubscriptionArn": f"arn:aws:sns:{_SOURCE}:{_ID}",
    "Sns": {
        "Type": "Notification",
        "MessageId": _ID,
        "TopicArn": f"arn:aws:sns:{_SOURCE}",
        "Subject": "An order",
        "Message": '{"order": 7}',
        "Timestamp": _TIME,
        "MessageAttributes": {},
    },
}
_S3: dict[str, object] = {
    "eventVersion": "2.1",
    "eventSource": "aws:s3",
    "awsRegion": REGION,
    "eventTime": _TIME,
    "eventName": "ObjectCreated:Put",
    "requestParameters": {"sourceIPAddress": "192.0.2.10"},
    "s3": {
        "s3SchemaVersion": "1.0",
        "configurationId": "example",
        "bucket": {"name": "example", "arn": "arn:aws:s3:::example"},
        "object": {"key": "orders/7.json", "size": 12, "eTag": "0123456789abcdef"},
    },
}
_DYNAMODB: dict[str, object] = {
    "eventID": "1",
    "eventName": "INSERT",
    "eventVersion": "1.1",
    "eventSource": "aws:dynamodb",
    "awsRegion": REGION,
    "dynamodb": {
        "ApproximateCreationDateTime": _TIME_MS // 1000,
        "Keys": {"order": {"N": "7"}},
        "NewImage": {"order": {"N": "7"}},
        "SequenceNumber": "1",
        "SizeBytes": 12,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    },
    "eventSourceARN": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/example/stream/1",
}
_KINESIS: dict[str, object] = {
    "kinesis": {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "7",
        "sequenceNumber": "1",
        "data": _BASE64,
        "approximateArrivalTimestamp": _TIME_MS / 1000,
    },
    "eventSource": "aws:kinesis",
    "eventVersion": "1.0",
    "eventID": "shardId-000000000000:1",
    "eventName": "aws:kinesis:record",
    "awsRegion": REGION,
    "eventSourceARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/example",
}
_EVENTBRIDGE: dict[str, object] = {
    "version": "0",
    "id": _ID,
    "detail-type": "Order placed",
    "source": "com.example.orders",
    "account": ACCOUNT,
    "time": "2026-01-02T03:04:05Z",
    "region": REGION,
    "resources": [],
    "detail": {"order": 7},
}
_SCHEDULE: dict[str, object] = {
    **_EVENTBRIDGE,
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/example"],
    "detail": {},
}
_COGNITO: dict[str, object] = {
    "version": "1",
    "triggerSource": "PreSignUp_SignUp",
    "region": REGION,
    "userPoolId": f"{REGION}_example",
    "userName": "ada",
    "callerContext": {"awsSdkVersion": "example", "clientId": "example"},
    "request": {"userAttributes": {"email": "ada@example.com"}},
    "response": {"autoConfirmUser": False, "autoVerifyEmail": False},
}
_WEBSOCKET: dict[str, object] = {
    "requestContext": {
        "routeKey": "$default",
        "eventType": "MESSAGE",
        "messageId": "example",
        "connectionId": "example",
        "domainName": f"local.execute-api.{REGION}.amazonaws.com",
        "stage": "prod",
        "apiId": "local",
        "requestTimeEpoch": _TIME_MS,
    },
    "body": '{"order": 7}',
    "isBase64Encoded": False,
}

_OTHERS: dict[str, dict[str, object]] = {
    "sqs": {"Records": [_SQS]},
    "sns": {"Records": [_SNS]},
    "s3": {"Records": [_S3]},
    "dynamodb": {"Records": [_DYNAMODB]},
    "kinesis": {"Records": [_KINESIS]},
    "eventbridge": _EVENTBRIDGE,
    "schedule": _SCHEDULE,
    "cognito": _COGNITO,
    "websocket": _WEBSOCKET,
}

KINDS = (*GATEWAYS, *_OTHERS)
"""Every kind of event that has an example."""


def sample(kind: str, path: str = "/") -> dict[str, object]:
    """Return an example event; an HTTP event is a GET of a path with its query.

    Raises:
        KeyError: there is no such kind.
    """
    if kind not in GATEWAYS:
        return _OTHERS[kind]
    plain, _, query = path.partition("?")
    fields = [(b"Host", b"127.0.0.1:9000"), (b"Accept", b"*/*")]
    stamp = EventMeta(_TIME_MS, _ID, "1-6957d8e5-0123456789abcdef01234567")
    return GATEWAYS[kind]().event(ClientRequest("GET", plain, query, fields), stamp)

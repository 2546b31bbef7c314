"""Handlers for events that are not HTTP: each kind, told apart as AWS documents it.

A handler that raises fails the invocation, so that the event is sent again, and in the
end put into the dead-letter queue of template.yaml. An event may come twice anyway, so
whatever is done must be right if it is done again.
"""

import json
from typing import Any
from urllib.parse import unquote_plus

from flask import Flask, Response, abort, jsonify, request

app = Flask(__name__)
Event = dict[str, Any]


@app.get("/")
def hello() -> str:
    """Tell the readiness check that all is well."""
    return "Hello from Flask! Send me events.\n"


@app.post("/events")
def events() -> Response:
    """Hand an event to the handler of its kind.

    A client can POST here too, but the adapter lets only such events have this value.
    """
    if request.headers.get("x-amzn-request-context") != "null":
        abort(403)
    event = request.get_json(force=True)
    handler = HANDLERS.get(kind_of(event))
    if handler is None:
        app.logger.error("no handler for %s", kind_of(event) or "this kind of event")
        abort(400)
    return jsonify(handler(event))


def kind_of(event: object) -> str:
    """Return what sent an event, or "" for what is unknown."""
    match event:
        # https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and its neighbours
        case {"Records": [{"eventSource": str(source)}, *_]}:
            return source
        # https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html: a capital E
        case {"Records": [{"EventSource": str(source)}, *_]}:
            return source
        # https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html
        case {"detail-type": str(kind), "source": str()}:
            return kind
    return ""


def take_messages(event: Event) -> Event:
    """Take the messages of a queue, and return those that failed.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    messages = event["Records"]
    failed: list[str] = []
    for message in messages:
        in_order = message["eventSourceARN"].endswith(".fifo")
        name = message["messageId"]
        if (failed and in_order) or not done(name, take_order, message["body"]):
            failed.append(name)
    return failures(failed)


def take_changes(event: Event) -> Event:
    """Take the changes of a table in their order, up to the first one that fails.

    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
    """
    for record in event["Records"]:
        change = record["dynamodb"]
        name = change["SequenceNumber"]
        if not done(name, take_change, record["eventName"], change):
            return failures([name])
    return failures([])


def take_notifications(event: Event) -> Event:
    """Take the notifications of a topic: all, or the invocation fails."""
    return {
        "handled": [take_order(each["Sns"]["Message"]) for each in event["Records"]]
    }


def take_objects(event: Event) -> Event:
    """Take what happened to the objects of a bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    return {"handled": [take_object(each["s3"]) for each in event["Records"]]}


def take_time(event: Event) -> Event:
    """Do what is due."""
    return {"handled": [said(f"what was due at {event['time']}")]}


def take_event(event: Event) -> Event:
    """Take an event of our own from a bus."""
    return {"handled": [said(f"order {int(event['detail']['order'])}")]}


HANDLERS = {
    "aws:sqs": take_messages,
    "aws:dynamodb": take_changes,
    "aws:sns": take_notifications,
    "aws:s3": take_objects,
    "Scheduled Event": take_time,
    "Order placed": take_event,
}


def take_order(text: str) -> str:
    """Do what an order asks for."""
    return said(f"order {int(json.loads(text)['order'])}")


def take_change(name: str, change: Event) -> str:
    """Do what a change of the table asks for."""
    return said(f"{name} of order {int(change['Keys']['order']['N'])}")


def take_object(s3: Event) -> str:
    """Do what a new object asks for; its key is encoded as in a query."""
    name = f"{s3['bucket']['name']}/{unquote_plus(s3['object']['key'])}"
    return said(f"object {name} of {s3['object']['size']} bytes")


def said(what: str) -> str:
    """Log what is done; a real application does it."""
    print(what, flush=True)
    return what


def done(name: str, take: Any, *arguments: Any) -> bool:
    """Tell whether a part of a batch could be taken, and log why not.

    The log has its name, and not what is in it: that may be nothing for a log.
    """
    try:
        take(*arguments)
    except Exception:
        app.logger.exception("%s failed, and will be sent again", name)
        return False
    return True


def failures(identifiers: list[str]) -> Event:
    """Make the reply that has only these sent again."""
    return {"batchItemFailures": [{"itemIdentifier": each} for each in identifiers]}

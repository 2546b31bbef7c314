"""A FastAPI application from a zip package, in the adapter's own process.

It logs as any Lambda function does, and gets ready for SnapStart by AWS's own library.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import BackgroundTasks, FastAPI, Request
from snapshot_restore_py import register_after_restore, register_before_snapshot

log = logging.getLogger(__name__)
logging.getLogger().setLevel("INFO")

connections = {"open": 0}


@register_after_restore
def connect() -> None:
    """Open what no snapshot can hold: here would be a database."""
    connections["open"] += 1


@register_before_snapshot
def disconnect() -> None:
    """Close it again."""
    connections["open"] -= 1


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Connect once for each environment."""
    connect()
    yield
    disconnect()


app = FastAPI(lifespan=lifespan)


@app.get("/")
async def hello(request: Request, tasks: BackgroundTasks) -> dict[str, Any]:
    """Greet, and say what AWS's runtime would have given a handler."""
    event, context = request.scope["aws.event"], request.scope["aws.context"]
    log.info("greeted", extra={"event_version": event.get("version")})
    tasks.add_task(log.info, "after the reply")
    return {
        "message": "Hello from FastAPI!",
        "request_id": context.aws_request_id,
        "stage": event["requestContext"].get("stage"),
        "open": connections["open"],
    }

"""A web application for Lambda functions and MicroVMs, with hooks of its own."""

import os
import time

from flask import Flask, abort, request

app = Flask(__name__)
session: dict[str, object] = {}


@app.get("/")
def index():
    """Show what the MicroVM was run with."""
    return {"session": session, "at": time.time()}


@app.before_request
def guard_hooks():
    """Refuse a hook that did not come from the adapter."""
    token = os.environ.get("LAMBDA_ADAPTER_HOOK_TOKEN")
    given = request.headers.get("x-microvm-hook-token")
    if request.path.startswith("/lifecycle/") and token and given != token:
        abort(403)


@app.post("/lifecycle/before")
def before_snapshot():
    """Close what no snapshot can keep, such as connections to a database."""
    return "", 204


@app.post("/lifecycle/after")
def after_restore():
    """Begin again: after a MicroVM was run from the snapshot, or was resumed."""
    document = request.get_json(silent=True) or {}
    session.update(id=document.get("microvmId"), payload=document.get("runHookPayload"))
    return "", 204

"""Applications with SnapStart's hooks: AWS's own library's, and two paths.

``HOOKS`` in the environment names what a hook of the library does.
"""

import asyncio
import importlib
import os
import random
import sys
import time

from snapshot_restore_py import register_after_restore, register_before_snapshot

asgi_app = importlib.import_module("asgi_app")
wsgi_app = importlib.import_module("wsgi_app")

WHAT = os.environ.get("HOOKS", "")


def note(text):
    print(text, file=sys.stderr)


@register_before_snapshot
def first():
    note("before, registered first")
    if WHAT == "before raises":
        raise ConnectionError("no database")


@register_before_snapshot
def last():
    note("before, registered last")


@register_after_restore
def restored(name="restored"):
    note(f"after, {name} first")
    match WHAT:
        case "raises":
            raise ConnectionError("no database")
        case "leaves":
            sys.exit(3)
        case "blocks":
            time.sleep(60)
        case "runs":
            note(f"on {asyncio.run(asgi_app.library())}")


register_after_restore(note, "after, registered last")

random.seed(1)


def wsgi(environ, start_response):
    match environ["PATH_INFO"]:
        case "/blocks":
            time.sleep(60)
        case "/closes":
            start_response("200 OK", [])
            return NeverClosed()
        case "/random":
            return wsgi_app.respond(start_response, str(random.random()).encode())
    note(environ["PATH_INFO"])
    return wsgi_app.respond(start_response)


class NeverClosed:
    def __iter__(self):
        yield b"ok"

    def close(self):
        time.sleep(60)


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    match scope["path"]:
        case "/blocks":
            time.sleep(60)  # noqa: ASYNC251 - that is the fault
        case "/swallows":
            await asgi_app.forever(scope, receive, send)
        case "/hangs":
            await asgi_app.wait(60)
        case "/random":
            await asgi_app.respond(send, str(random.random()).encode())
            return
    note(scope["path"])
    await asgi_app.respond(send)
    if scope["path"] == "/goes-on":
        await asgi_app.forever(scope, receive, send)

"""An ASGI application that does as the path says: what goes well, and what goes wrong.

It runs on asyncio and on trio, and needs neither's names where it does not wait.
"""

import contextlib
import functools
import json
import logging
import os
import sys
import time
from contextvars import ContextVar

import sniffio

STARTED = {"count": 0}
COUNTED = {"sent": 0, "here": 0}
SEEN = ContextVar("seen", default="nothing")


async def library():
    return sniffio.current_async_library()


async def wait(seconds):
    """Sleep on whatever loop this is."""
    if sniffio.current_async_library() == "trio":
        import trio

        await trio.sleep(seconds)
    else:
        import asyncio

        await asyncio.sleep(seconds)


async def shielded(seconds):
    """Sleep, whatever happens."""
    if sniffio.current_async_library() == "trio":
        import trio

        with trio.CancelScope(shield=True):
            await trio.sleep(seconds)
    else:
        await wait(seconds)


async def forever(scope, receive, send):
    """Go on, whatever happens."""
    while True:
        try:
            await wait(0.01)
        except BaseException:
            print("cancelled", file=sys.stderr)


def note(text):
    print(text, file=sys.stderr, flush=True)


async def respond(send, body=b"ok", status=200, headers=(), more=False):
    """Send a response."""
    fields = [(b"content-type", b"text/plain"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def lifespan(scope, receive, send):
    assert (await receive())["type"] == "lifespan.startup"
    STARTED["count"] += 1
    scope["state"]["started"] = STARTED["count"]
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    await wait(0)
    note("shut down")
    await send({"type": "lifespan.shutdown.complete"})


async def show(scope, receive, send):
    """Respond with the scope and the body."""
    message = await receive()
    shown: dict[str, object] = {name: repr(value) for name, value in scope.items()}
    shown["body"] = message["body"].decode("latin-1")
    shown["message"] = sorted(message)
    shown["aws.event"] = dict(scope["aws.event"])
    context = scope["aws.context"]
    shown["aws.context"] = [
        context.aws_request_id,
        context.function_name,
        context.get_remaining_time_in_millis() > 1000,
    ]
    await respond(send, json.dumps(shown).encode())


async def background(scope, receive, send):
    await respond(send)
    note("background begins")
    await wait(float(scope["query_string"] or b"0.2"))
    note("background ends")


async def disconnects(scope, receive, send):
    await receive()
    await respond(send)
    note((await receive())["type"])


async def together(*calls):
    """Run calls side by side, on whatever loop this is."""
    import anyio

    async with anyio.create_task_group() as group:
        for call in calls:
            group.start_soon(call)


async def watches(scope, receive, send):
    """Respond, and listen for the client's end beside that."""
    await receive()

    async def listen():
        note((await receive())["type"])

    async def answer():
        await respond(send)
        note("sent")

    await together(listen, answer)


async def fails_when_cancelled():
    """Wait, and raise something else when the wait is cancelled."""
    try:
        await wait(30)
    finally:
        raise ValueError("a late clean-up")


async def mixed(scope, receive, send):
    """Have two tasks cancelled at the deadline, of which one raises something else.

    Before that, respond as the query says: not at all, with half a response or whole.
    """
    how = scope["query_string"]
    if how:
        await respond(send, more=how == b"half")
    await together(fails_when_cancelled, functools.partial(wait, 30))


KEPT: list[BaseException] = []


async def keeps_cancelled(scope, receive, send):
    """Keep the error of a cancellation, or raise the one that was kept."""
    if KEPT:
        raise KEPT.pop()
    import anyio

    with anyio.CancelScope() as limit:
        limit.cancel()
        try:
            await wait(1)
        except BaseException as error:
            KEPT.append(error)
            raise
    await respond(send)


async def generator_exit(scope, receive, send):
    raise GeneratorExit


async def cancels_at_the_end(scope, receive, send):
    """Stop responding when the client is gone, and work on after that."""
    import anyio

    await receive()
    async with anyio.create_task_group() as group:

        async def watch():
            await receive()
            group.cancel_scope.cancel()

        group.start_soon(watch)
        await respond(send)
        note("sent")
    note("background")


async def gives_up_sending(scope, receive, send):
    """Cancel a ``send`` that has not returned, and listen for the client's end."""
    import anyio

    await receive()
    with anyio.move_on_after(0.01):
        await respond(send)
    note((await receive())["type"])


async def stream(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for number in range(3):
        body = b"piece %d\n" % number
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body"})


async def empty_pieces(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for body in (b"", b"piece", b""):
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body"})


async def endless(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    try:
        while True:
            piece = {"type": "http.response.body", "body": b"x", "more_body": True}
            await send(piece)
    except OSError:
        note("the client is gone")
        raise


async def listens(scope, receive, send):
    """Send a piece, and then wait for nothing but the client's end."""
    await receive()
    await respond(send, more=True)
    note((await receive())["type"])


async def large(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(int(scope["query_string"])):
        body = bytes(1_000_000)
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body"})


async def file(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    path = scope["query_string"].decode()
    await send({"type": "http.response.pathsend", "path": path})


async def raises(scope, receive, send):
    raise ValueError("a secret reason")


async def raises_within(scope, receive, send):
    await respond(send, b"half", more=True)
    raise ValueError("a secret reason")


async def raises_after(scope, receive, send):
    await respond(send)
    raise ValueError("a late reason")


async def leaves(scope, receive, send):
    sys.exit(3)


async def never(scope, receive, send):
    pass


async def only_start(scope, receive, send):
    await send({"type": "http.response.start", "status": 200})


async def twice(scope, receive, send):
    await respond(send)
    await respond(send)


async def body_first(scope, receive, send):
    await send({"type": "http.response.body", "body": b"x"})


async def hangs(scope, receive, send):
    try:
        await wait(30)
    except BaseException as error:
        note(f"hangs: {type(error).__name__}")
        raise


async def spins(scope, receive, send):
    while True:
        await wait(0)


async def blocks(scope, receive, send):
    time.sleep(  # noqa: ASYNC251 - that is the fault
        float(scope["query_string"] or b"0.1")
    )
    await respond(send)


async def cancels_itself(scope, receive, send):
    if sniffio.current_async_library() == "trio":
        import trio

        with trio.CancelScope() as limit:
            limit.cancel()
            await wait(1)
    else:
        import asyncio

        task = asyncio.current_task()
        assert task
        task.cancel("its own reason")
        await wait(1)


async def odd(scope, receive, send):
    """Respond as the query says, in Python: whatever is not allowed."""
    from urllib.parse import unquote

    messages = eval(unquote(scope["query_string"].decode()))
    for message in messages:
        await send(message)


async def no_content(scope, receive, send):
    await respond(send, b"no content", status=int(scope["query_string"]))


async def head(scope, receive, send):
    length = [(b"content-length", b"4")]
    await respond(send, b"head", headers=length)


async def before(scope, receive, send):
    fields = dict(scope["headers"])
    note(f"hook {scope['path']} {fields[b'x-amzn-lambda-context'].decode()}")
    await respond(send)


after = before


async def logs(scope, receive, send):
    from lambda_adapter.observe.logs import add_request_id

    logger = logging.getLogger("app")
    logger.propagate = False
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(add_request_id)
    handler.setFormatter(logging.Formatter("%(message)s of %(request_id)s"))
    logger.handlers = [handler]
    logger.warning("a line")
    await respond(send)


async def context(scope, receive, send):
    seen = SEEN.get()
    SEEN.set("something")
    await respond(send, seen.encode())


async def asks_for_work(scope, receive, send):
    """Ask for the request that AWS_LWA_AFTER_REPLY_PATH names."""
    await respond(send, headers=[(b"x-lwa-after-reply", b"1")])


async def fails_in_context(scope, receive, send):
    SEEN.set("something")
    raise ValueError("a secret reason")


async def task_exits(scope, receive, send):
    """Start a task that calls ``sys.exit``, and respond once it has."""
    import asyncio

    async def leave():
        sys.exit(3)

    task = asyncio.get_running_loop().create_task(leave())
    with contextlib.suppress(SystemExit):
        await task
    await respond(send)


async def ends_first(scope, receive, send):
    """Leave the body to a task that begins when this has ended."""
    import asyncio

    async def send_late():
        await asyncio.sleep(0)
        try:
            await respond(send)
        except OSError as error:
            note(f"late: {error}")

    asyncio.get_running_loop().create_task(send_late())


async def task_fails(scope, receive, send):
    """Start a task and a callback that fail, for which nobody waits."""
    import asyncio
    import gc

    async def fail():
        raise ValueError("nobody looked")

    def raise_it():
        raise ValueError("in a callback")

    loop = asyncio.get_running_loop()
    task = loop.create_task(fail())
    loop.call_soon(raise_it)
    await wait(0.01)
    del task
    gc.collect()
    await wait(0.01)
    await respond(send)


async def half_then_hangs(scope, receive, send):
    await respond(send, b"half", more=True)
    await wait(30)


async def stubborn_for(scope, receive, send):
    """Swallow a cancellation, and go on for longer than anybody waits."""
    try:
        await wait(30)
    except BaseException:
        await shielded(1)


async def waits_for(scope, receive, send):
    """Respond once there is a file of this name."""
    while not os.path.exists(scope["query_string"]):  # noqa: ASYNC240
        await wait(0.01)
    await respond(send)


async def counts(scope, receive, send):
    """Count the pieces that were taken."""
    COUNTED["sent"] = 0
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        piece = {"type": "http.response.body", "body": b"x", "more_body": True}
        await send(piece)
        COUNTED["sent"] += 1


async def meets(scope, receive, send):
    """Wait until four are here."""
    COUNTED["here"] += 1
    while COUNTED["here"] % 4:
        await wait(0.001)
    await respond(send, scope["query_string"])


async def app(scope, receive, send):
    """Do as the path says."""
    if scope["type"] == "lifespan":
        return await lifespan(scope, receive, send)
    assert scope["type"] == "http"
    name = scope["path"].strip("/").partition("/")[0] or "show"
    return await globals()[name](scope, receive, send)


async def plain(scope, receive, send):
    """Have no lifespan."""
    assert scope["type"] == "http"
    await respond(send, b"state" if "state" in scope else b"none")


async def failing(scope, receive, send):
    """Fail to start up."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


async def failing_oddly(scope, receive, send):
    """Name a file whose name is not in UTF-8, as Python decodes such a name."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no \udce9"})


async def failing_on(scope, receive, send):
    """Fail to start up, and note what comes after that."""
    await failing(scope, receive, send)
    note((await receive())["type"])


async def slow(scope, receive, send):
    """Never start up."""
    await wait(60)


async def stubborn(scope, receive, send):
    """Start up, and never shut down."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await forever(scope, receive, send)


def create():
    """Be a factory."""
    return app

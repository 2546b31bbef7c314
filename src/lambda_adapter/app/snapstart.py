"""Call SnapStart's hooks, before a snapshot is taken and after it is restored.

Each hook is a POST to the application. Only the adapter may call their paths: a
client's request for one is refused.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
"""

import contextlib
import functools
from collections.abc import Awaitable, Callable

import trio

from lambda_adapter import __version__
from lambda_adapter.app.client import HttpTransport
from lambda_adapter.config import Config
from lambda_adapter.errors import (
    AfterRestoreError,
    AppStuckError,
    BeforeCheckpointError,
    InitError,
    InvocationError,
    PeerError,
)
from lambda_adapter.events.event import MAX_REPLY
from lambda_adapter.events.headers import LAMBDA_CONTEXT, REQUEST_CONTEXT
from lambda_adapter.http.connect import open_connection
from lambda_adapter.http.encoding import encode_request
from lambda_adapter.http.messages import Request, Response, authority
from lambda_adapter.observe.logs import log

CHECKPOINT_TIMEOUT = 900.0
"""Seconds that the hook before a snapshot may take. Init and the hook share 130 s or
the function's timeout, whichever is longer, and never more than 900 s. Lambda enforces
that, because the adapter can't know the function's timeout.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html"""

RESTORE_TIMEOUT = 9.5
"""Seconds for the hook after a restore and the check after it, together. Lambda allows
10 s before a SnapStartTimeoutException; the rest is for reporting the reason.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html"""

FIRST_REPORT = 2.0
"""Seconds until the log says which hook has not responded yet."""

HOOK_CONTEXTS = [(REQUEST_CONTEXT, b"null"), (LAMBDA_CONTEXT, b"null")]
"""Headers by which an application can recognise a hook: no event's request has ``null``
in the second one, and no client can send either."""


Post = Callable[[Request], Awaitable[Response]]
"""Sends the request of a hook to the application."""


async def suspend_server(config: Config, client: HttpTransport) -> None:
    """Call the hook before a snapshot, and close all connections: none survives it.

    Raises:
        BeforeCheckpointError: the hook failed.
    """
    await announce_snapshot(config, functools.partial(_post_to_server, config))
    client.close()


async def announce_snapshot(config: Config, post: Post) -> None:
    """Call the hook before a snapshot is taken.

    Raises:
        BeforeCheckpointError: the hook failed.
    """
    path = config.before_checkpoint_path
    if path and (failure := await _call(config, post, path, CHECKPOINT_TIMEOUT)):
        raise BeforeCheckpointError(failure)


async def announce_restore(
    config: Config, post: Post, seconds: float = RESTORE_TIMEOUT
) -> None:
    """Call the hook after a snapshot was restored.

    Raises:
        AfterRestoreError: the hook failed.
    """
    path = config.after_restore_path
    if path and (failure := await _call(config, post, path, seconds)):
        raise AfterRestoreError(failure)


async def resume_server(config: Config, check: Callable[[], Awaitable[object]]) -> None:
    """Call the hook after a restore, then ``check``, which waits for readiness.

    Raises:
        AfterRestoreError: the hook failed, or the application is not ready in time.
    """
    deadline = trio.current_time() + RESTORE_TIMEOUT
    await announce_restore(config, functools.partial(_post_to_server, config))
    try:
        with trio.fail_at(deadline):
            await check()
    except InitError as error:
        raise AfterRestoreError(str(error)) from error
    except trio.TooSlowError:
        raise AfterRestoreError(
            f"the application was not ready again within {RESTORE_TIMEOUT:g} s of the"
            " restore"
        ) from None


async def _call(config: Config, post: Post, path: str, seconds: float) -> str | None:
    """POST to a hook; return why it failed or timed out, or None."""
    failure: str | None = None
    with trio.move_on_after(seconds) as limit:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_report_slow_hook, path, seconds)
            failure = await _post_to_hook(config, post, path)
            nursery.cancel_scope.cancel()
    if limit.cancelled_caught:
        return f"POST {path} was not answered within {seconds:g} s"
    return failure


async def _report_slow_hook(path: str, seconds: float) -> None:
    await trio.sleep(FIRST_REPORT)
    log.warning(
        "POST %s was not answered within %g s; it may take %g s",
        path,
        FIRST_REPORT,
        seconds,
    )


async def _post_to_hook(config: Config, post: Post, path: str) -> str | None:
    """POST to a hook; return why it failed, or None."""
    agent = f"lambda-adapter/{__version__} (SnapStart)".encode()
    fields = [
        (b"host", authority(config.app_address)),
        (b"user-agent", agent),
        (b"content-length", b"0"),
        *HOOK_CONTEXTS,
    ]
    try:
        response = await post(Request(b"POST", path.encode(), fields))
    except (PeerError, InvocationError, AppStuckError) as error:
        return f"POST {path} failed: {error}"
    if 200 <= response.status <= 299:
        return None
    return f"POST {path} failed: it was answered with status {response.status}"


async def _post_to_server(config: Config, request: Request) -> Response:
    with contextlib.closing(await open_connection(config.app_address)) as connection:
        return await connection.exchange(encode_request(request), MAX_REPLY)

"""Lambda SnapStart: the application before a snapshot, and after one was restored.

It runs in a process of its own and hears of neither, so two POSTs tell it. Their paths
are Lambda's to call: a client's request for one is refused.

https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html Shell.
"""

from collections.abc import Awaitable, Callable

import trio

from lambda_adapter import __version__
from lambda_adapter.app_client import AppClient
from lambda_adapter.config import Config
from lambda_adapter.errors import (
    AfterRestoreError,
    BeforeCheckpointError,
    InitError,
    InvocationError,
)
from lambda_adapter.events.fields import LAMBDA_CONTEXT, REQUEST_CONTEXT
from lambda_adapter.logs import log
from lambda_adapter.messages import Request
from lambda_adapter.runtime_client import RuntimeClient

HOOK_LIMIT = 900.0
"""Seconds that a hook may take: Lambda gives neither phase more than a function's
longest timeout. https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html"""


HOOK_CONTEXTS = [(REQUEST_CONTEXT, b"null"), (LAMBDA_CONTEXT, b"null")]
"""The fields by which an application can recognise a hook: no event's request has the
second one with ``null``, and no client can send either."""


async def wait_restored(
    config: Config,
    app: AppClient,
    runtime: RuntimeClient,
    check: Callable[[], Awaitable[None]],
) -> None:
    """Return in each environment that the snapshot is restored to.

    Connections to the application are closed before, for none survives; ``check``
    waits afterwards until it is ready again.

    Raises:
        BeforeCheckpointError: the application is not fit for a snapshot.
        AfterRestoreError: it is not fit to go on after one.
        RuntimeApiError: Lambda did not restore.
    """
    if failure := await _call(app, config.before_checkpoint_path):
        raise BeforeCheckpointError(failure)
    app.close()
    await runtime.wait_restored()
    log.info("restored from a snapshot")
    if failure := await _call(app, config.after_restore_path):
        raise AfterRestoreError(failure)
    try:
        await check()
    except InitError as error:
        raise AfterRestoreError(str(error)) from error


async def _call(app: AppClient, path: str | None) -> str | None:
    """POST to a hook, if there is one, and return why it failed, or None."""
    if not path:
        return None
    agent = f"lambda-adapter/{__version__} (SnapStart)".encode()
    fields = [
        (b"host", b"localhost"),
        (b"user-agent", agent),
        (b"content-length", b"0"),
        *HOOK_CONTEXTS,
    ]
    try:
        with trio.fail_after(HOOK_LIMIT):
            response = await app.send(Request(b"POST", path.encode(), fields))
    except trio.TooSlowError:
        return f"POST {path} was not answered within {HOOK_LIMIT:g} s"
    except InvocationError as error:
        return f"POST {path} failed: {error}"
    if 200 <= response.status <= 299:
        return None
    return f"POST {path} failed: it was answered with status {response.status}"

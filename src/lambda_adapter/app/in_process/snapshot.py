"""SnapStart for an application in this process: its hooks, and their timeout.

Two kinds of hooks are called: the POSTs that ``app.snapstart`` makes, and those that an
application written for AWS's Python runtime registers with AWS's own library:
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
Imported only if Lambda takes a snapshot.
"""

import contextlib
import math
import os
import random
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import trio

from lambda_adapter.app import snapstart
from lambda_adapter.app.app import Call, Transport
from lambda_adapter.app.in_process.outside_trio import call_outside_trio
from lambda_adapter.config import Config
from lambda_adapter.errors import (
    AdapterError,
    AfterRestoreError,
    BeforeCheckpointError,
)
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.observe.logs import log
from lambda_adapter.runtime.api import Invocation

LAST_WORK = 1.0
"""Timeout in seconds for a hook's work after its response."""

LAST_MOMENT = 0.2
"""Seconds for a cancelled hook to clean up, before a restore's timeout; and after it,
for one that blocks this thread."""

RESTORE_ERROR = "/2018-06-01/runtime/restore/error"
"""https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-build"""

LIBRARY = "snapshot_restore_py"
"""AWS's library: https://github.com/aws/snapshot-restore-py"""


class Function(Protocol):
    """A hook that an application has registered."""

    def __call__(self, *arguments: object, **keywords: object) -> object:
        """Do its work."""


Hook = tuple[Function, Sequence[object], Mapping[str, object]]


async def suspend(config: Config, transport: Transport) -> None:
    """Prepare the application for a snapshot.

    Raises:
        BeforeCheckpointError: a hook failed.
    """
    await snapstart.announce_snapshot(config, _post_through(transport, math.inf))
    hooks = _registered_hooks("get_before_snapshot")
    # The last one first, as AWS's runtime has it. A hook may register another one.
    while hooks:
        _run_hook(hooks.pop(), BeforeCheckpointError)


async def resume(config: Config, transport: Transport) -> None:
    """Call the hooks after a restore, all within ``RESTORE_TIMEOUT``.

    Raises:
        AfterRestoreError: a hook failed.
    """
    deadline = trio.current_time() + snapstart.RESTORE_TIMEOUT
    with _reported_if_blocked(config):
        # Every environment is a copy of one memory: they would share what is random.
        random.seed()
        for hook in _registered_hooks("get_after_restore"):
            _run_hook(hook, AfterRestoreError)
        seconds = max(deadline - LAST_MOMENT - trio.current_time(), 0)
        post = _post_through(transport, deadline)
        await snapstart.announce_restore(config, post, seconds)


def _post_through(transport: Transport, deadline: float) -> snapstart.Post:
    """Return a function that sends a hook's request, and finishes it in time."""

    async def post(request: Request) -> Response:
        call = Call(Invocation("snapstart", b"null"), math.inf)
        try:
            return await transport.send(request, call)
        finally:
            with trio.CancelScope(shield=True):
                finished = min(trio.current_time() + LAST_WORK, deadline)
                await transport.finish(finished)

    return post


def _registered_hooks(which: str) -> list[Hook]:
    """Return the library's own list of hooks, if the application has imported it."""
    find: Callable[[], list[Hook]] | None = getattr(
        sys.modules.get(LIBRARY), which, None
    )
    return find() if find else []


def _run_hook(hook: Hook, failure: type[AdapterError]) -> None:
    """Call a hook, in the main thread as AWS's runtime does.

    Raises:
        AdapterError: the hook raised an exception, even SystemExit.
    """
    function, arguments, keywords = hook
    try:
        call_outside_trio(lambda: function(*arguments, **keywords))
    except BaseException as error:  # it may call sys.exit, which is a failure there
        name = getattr(function, "__qualname__", repr(function))
        log.error("the hook %s of snapshot_restore_py failed", name, exc_info=error)
        reason = f"{type(error).__name__}: {error}"
        what = f"the hook {name} of snapshot_restore_py failed: {reason}"
        raise failure(what) from error


@contextlib.contextmanager
def _reported_if_blocked(config: Config) -> Iterator[None]:
    """Let a thread report a hook that blocks this one, and end the process."""
    # Nothing else could: no timeout of trio's passes while this thread is blocked, and
    # Lambda would only see that its 10 s were over.
    # Whoever gets it first: this thread by coming back, or the other one by reporting.
    outcome, came_back = threading.Lock(), threading.Event()

    def watch() -> None:
        came_back.wait(snapstart.RESTORE_TIMEOUT + LAST_MOMENT)
        if outcome.acquire(blocking=False):
            _report_blocked(config)
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        if not outcome.acquire(blocking=False):
            threading.Event().wait()  # until the process ends, which is being reported
        came_back.set()


def _report_blocked(config: Config) -> None:
    from lambda_adapter.startup_failure import post_init_error

    seconds = snapstart.RESTORE_TIMEOUT
    error = AfterRestoreError(f"a hook after the restore blocked for {seconds:g} s")
    log.error("%s", error.line())
    address = config.runtime_api_proxy or config.runtime_api
    if failure := post_init_error(address, error, target=RESTORE_ERROR):
        log.error("the %s error did not reach Lambda: %s", "restore", failure)

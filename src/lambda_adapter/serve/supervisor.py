"""The nursery: the application, the wait for it, the invoke loops, the signals.

Shell.
"""

import contextlib
import functools
import math
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping

import trio

from lambda_adapter.apps.client import AppClient
from lambda_adapter.apps.process import AppProcess
from lambda_adapter.apps.readiness import wait_app_ready
from lambda_adapter.claim import claim
from lambda_adapter.config import Config
from lambda_adapter.errors import AdapterError, AfterRestoreError, InitError
from lambda_adapter.launcher import Child
from lambda_adapter.observe.logs import configure, log
from lambda_adapter.runtime.client import RuntimeClient
from lambda_adapter.runtime.context import encode_env_config, function_memory
from lambda_adapter.serve.allocator import keep_freed
from lambda_adapter.serve.invoke_loop import InvokeLoop

ASYNC_INIT_LIMIT = 9.8
"""Seconds after which Lambda's init is left to end, ready or not: it may take 10 s, and
then begins again within the first invocation.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"""


def run(config: Config, child: Child | None, environ: Mapping[str, str]) -> int:
    """Serve Lambda until it sends SIGTERM, and return the exit status."""
    configure(environ)
    keep_freed(function_memory(environ))
    for warning in config.warnings:
        log.warning("%s", warning)
    if child is None:
        log.info("no command was given: attached to what Lambda starts by itself")
    return trio.run(_run, config, child, environ)


async def _run(config: Config, child: Child | None, environ: Mapping[str, str]) -> int:
    failures: list[AdapterError] = []
    try:
        await supervise(config, child, environ)
    except* AdapterError as group:
        failures += _leaves(group)
    for failure in failures:
        log.error("%s: %s", failure.error_type, failure)
        with contextlib.closing(open_runtime(config)) as runtime:
            match failure:
                case InitError():
                    await runtime.post_init_error(failure)
                case AfterRestoreError():
                    await runtime.post_restore_error(failure)
    return 1 if failures else 0


async def supervise(
    config: Config, child: Child | None, environ: Mapping[str, str]
) -> None:
    """Run the application and the invoke loops side by side, until SIGTERM.

    Raises:
        ExceptionGroup: of InitError, AfterRestoreError or FatalError.
    """
    extension = RuntimeClient(*config.runtime_api)
    registered, ready = trio.Event(), trio.Event()
    env_config = encode_env_config(environ)
    with (
        trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals,
        contextlib.closing(
            AppClient(config.app_address, config.pool_idle_timeout)
        ) as app,
    ):
        async with _running(child) as process, trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_on_signal, signals, nursery.cancel_scope)
            nursery.start_soon(
                extension.run_extension, extension_name(child), registered
            )
            nursery.start_soon(_watch_app, config, process, ready)
            with trio.move_on_after(
                ASYNC_INIT_LIMIT if config.inits_async else math.inf
            ):
                await ready.wait()
            await registered.wait()
            if not process and not claim():
                log.info("the adapter that started the application serves it")
                await trio.sleep_forever()
            if config.initialization_type == "snap-start":
                from lambda_adapter.serve.snapstart import wait_restored

                check = functools.partial(wait_app_ready, config, process)
                with contextlib.closing(open_runtime(config)) as runtime:
                    await wait_restored(config, app, runtime, check)
            for _ in range(config.max_concurrency):
                runtime = open_runtime(config)
                loop = InvokeLoop(runtime, app, env_config, config, ready)
                nursery.start_soon(loop.run)


async def _watch_app(
    config: Config, process: AppProcess | None, ready: trio.Event
) -> None:
    """See an application through its life: until it is ready, and then to its end."""
    await wait_app_ready(config, process)
    ready.set()
    if process:
        await process.watch()


def open_runtime(config: Config) -> RuntimeClient:
    """Return a client of the Runtime API, or of the proxy that stands in for it."""
    return RuntimeClient(*(config.runtime_api_proxy or config.runtime_api))


@contextlib.asynccontextmanager
async def _running(child: Child | None) -> AsyncIterator[AppProcess | None]:
    """Hold the application, if it is ours to hold: an attached one is Lambda's."""
    if child is None:
        yield None
        return
    async with AppProcess(child) as process:
        child.wait_started()
        yield process


async def _cancel_on_signal(
    signals: AsyncIterator[int], scope: trio.CancelScope
) -> None:
    async for number in signals:
        log.info("ending on %s", signal.Signals(number).name)
        for further in (signal.SIGTERM, signal.SIGINT):  # trio would raise them again
            signal.signal(further, signal.SIG_IGN)
        scope.cancel()


def extension_name(child: Child | None) -> str:
    """Return the name to register: an external extension's is its file's.

    The entry point has another one, for an image may hold both, and Lambda takes each
    name once.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html#extensions-registration-api-a
    """
    return "lambda-adapter-runtime" if child else os.path.basename(sys.argv[0])


def _leaves(group: BaseExceptionGroup[AdapterError]) -> list[AdapterError]:
    leaves: list[AdapterError] = []
    for error in group.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves

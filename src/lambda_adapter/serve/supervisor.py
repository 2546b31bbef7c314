"""The nursery that supervises the application and the invoke loops."""

import contextlib
import functools
from collections.abc import Callable, Sequence

import msgspec
import trio

from lambda_adapter import code_file
from lambda_adapter.app.app import App
from lambda_adapter.app.middleware import Transports, build_stack
from lambda_adapter.app.server import AttachedApp, ChildApp
from lambda_adapter.command_line import is_bootstrap
from lambda_adapter.config import Config
from lambda_adapter.errors import (
    AdapterError,
    AfterRestoreError,
    AppStuckError,
    InitError,
)
from lambda_adapter.launcher import Child
from lambda_adapter.observe.logs import configure, follow, log
from lambda_adapter.runtime.client import RuntimeClient
from lambda_adapter.runtime.context import encode_env_config
from lambda_adapter.runtime.extension import Extension
from lambda_adapter.serve.invoke_loop import InvokeLoop
from lambda_adapter.serve.malloc import keep_freed
from lambda_adapter.serve.signals import Signals

OpenLoop = Callable[[RuntimeClient, Transports, msgspec.Raw, Config], InvokeLoop]


def open_loops(config: Config, app: App) -> list[InvokeLoop]:
    """Return the invoke loops, each with its own transport and connection."""
    open_loop: OpenLoop = InvokeLoop
    if config.has_metrics:
        from lambda_adapter.serve.metrics_loop import MetricsLoop

        # An iterator that all loops share, so that only the first invocation is counted
        # as a cold start.
        open_loop = functools.partial(MetricsLoop, cold=iter((1,)))
    env_config = encode_env_config(config)
    return [
        open_loop(
            open_runtime(config),
            build_stack(app.open_transport(), config),
            env_config,
            config,
        )
        for _ in range(config.max_concurrency)
    ]


async def run_loops(loops: Sequence[InvokeLoop]) -> None:
    """Run the loops, until they are stopped or cancelled, or one of them fails.

    If the application is stuck in an abandoned request, no loop takes another event,
    and the others complete their invocations, which have deadlines. Only then does the
    environment end, so that no other request fails with it.

    Raises:
        FatalError: serving can't go on. It is raised alone, or in a group.
    """
    stuck: list[AppStuckError] = []

    async def run(loop: InvokeLoop) -> None:
        # A thread of the application's has no context to show which invocation it works
        # for. With one loop there is only one candidate.
        if len(loops) == 1:
            task = trio.lowlevel.current_task()
            follow(task.context)
        try:
            await loop.run()
        except AppStuckError as error:
            if not stuck:
                log.error("%s", error.line())  # now, since the exit may hang
            stuck.append(error)
            for each in loops:
                each.stop()

    async with trio.open_nursery() as nursery:
        for loop in loops:
            nursery.start_soon(run, loop)
    if stuck:
        raise stuck[0]


PROXY_ADVICE = "is the proxy running that AWS_LWA_LAMBDA_RUNTIME_API_PROXY names?"


def open_runtime(config: Config) -> RuntimeClient:
    """Return a client of the Runtime API, or of its configured proxy."""
    address = config.runtime_api_proxy or config.runtime_api
    # A wait in the kernel blocks the thread, so nothing else may need it: no second
    # loop, and no application on trio, whose tasks trio runs. asyncio's work ends the
    # wait (``http.wire.Companion``). trio has no such descriptor for its own: the tasks
    # of the batch that it is running are in no queue, so they would be late.
    is_alone = not (
        config.is_concurrent or (config.asgi_app and config.asgi_loop != "asyncio")
    )
    advice = PROXY_ADVICE if config.runtime_api_proxy else ""
    return RuntimeClient(*address, waits_in_kernel=is_alone, advice=advice)


def run(config: Config, child: Child | None) -> int:
    """Serve Lambda until it sends SIGTERM, and return the exit status."""
    if config.is_in_process:
        _share_output(config)
    level = config.log_level or ""
    configure(config.log_format, level, is_shared=config.is_in_process)
    keep_freed(config.function_memory)
    if code_file.reason:
        log.debug("%s", code_file.reason)
    for warning in config.warnings:
        log.warning("%s", warning)
    try:
        app = _with_metrics(config, _open_app(config, child))
    except InitError as error:
        return _report_import(config, error)
    signals = Signals()
    status = trio.run(run_until_stopped, config, app, signals)
    signals.pass_on()
    return status


def _share_output(config: Config) -> None:
    """Set up stdout and logging for the application, as AWS's Python runtime does."""
    from lambda_adapter.observe.root_handler import add_root_handler
    from lambda_adapter.observe.stdio import unbuffer

    unbuffer()
    add_root_handler(config.log_format, config.log_level or "")


def _report_import(config: Config, error: InitError) -> int:
    """Report why the application can't be imported; return the exit status.

    This does not use trio, because the application may have patched what trio needs.
    """
    from lambda_adapter.app.in_process.importer import arm_watchdog
    from lambda_adapter.startup_failure import post_init_error

    log.error("%s", error.line())
    address = config.runtime_api_proxy or config.runtime_api
    if failure := post_init_error(address, error):
        log.error("the init error did not reach Lambda: %s", failure)
    # Python waits for the threads and children that the application has started.
    arm_watchdog()
    return 1


def _open_app(config: Config, child: Child | None) -> App:
    """Return the application that the command line and the settings specify.

    Raises:
        InitError: an application for this process can't be imported.
    """
    if config.asgi_app:
        from lambda_adapter.app.in_process.asgi.app import ASGIApp

        return ASGIApp(config)
    if config.wsgi_app:
        from lambda_adapter.app.in_process.wsgi.app import WSGIApp

        return WSGIApp(config)
    if child:
        return ChildApp(config, child)
    if is_bootstrap():
        log.warning(
            "no command was given: an image with the adapter as its ENTRYPOINT needs a"
            " CMD, which starts the application"
        )
    else:
        log.info("no command was given: attached to what Lambda starts by itself")
    if config.app_wrapper:
        log.warning(
            "AWS_LWA_EXEC_WRAPPER does nothing here, where Lambda has started the"
            " application: put %s in front of the image's own command",
            config.app_wrapper,
        )
    return AttachedApp(config)


def _with_metrics(config: Config, app: App) -> App:
    if not config.has_metrics:
        return app
    from lambda_adapter.app.middleware.metrics import MetricsApp

    return MetricsApp(app, config.function_name or "unknown")


async def run_until_stopped(config: Config, app: App, signals: Signals) -> int:
    """Serve until a signal or a failure; report it, and return the exit status."""
    failures: list[AdapterError] = []
    try:
        with signals:
            await supervise(config, app, signals)
    except* AdapterError as group:
        failures += _leaf_errors(group)
    return await _report_failures(config, failures)


async def _report_failures(config: Config, failures: Sequence[AdapterError]) -> int:
    """Log the failures, report them to Lambda, and return the exit status."""
    for failure in failures:
        if isinstance(failure, AfterRestoreError):
            continue  # already reported, so that a slow shutdown did not delay that
        if not isinstance(failure, AppStuckError):  # already logged
            log.error("%s", failure.line())
        with contextlib.closing(open_runtime(config)) as runtime:
            if isinstance(failure, InitError) and not failure.is_late:
                await runtime.post_init_error(failure)
    return 1 if failures else 0


async def supervise(config: Config, app: App, signals: Signals) -> None:
    """Run the application and the invoke loops concurrently, until a signal arrives.

    Raises:
        ExceptionGroup: with InitError, AfterRestoreError or FatalError.
    """
    extension = Extension(*config.runtime_api)
    registered, ready, exited = trio.Event(), trio.Event(), trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_on_signal, signals, nursery.cancel_scope)
        nursery.start_soon(extension.run, app.extension_name, registered)
        nursery.start_soon(app.run, ready, exited)
        await ready.wait()
        # The first ``/next`` ends Lambda's init, after which no extension can register.
        await registered.wait()
        signals.take()  # the application's startup may have set handlers
        if config.initialization_type == "snap-start":
            await _restore(config, app)
        if config.is_concurrent:
            from lambda_adapter.http.timer import share_timer

            share_timer(nursery)
        loops = open_loops(config, app)
        nursery.start_soon(_stop_after_exit, exited, loops)
        nursery.start_soon(run_loops, loops)


async def _restore(config: Config, app: App) -> None:
    """Let Lambda take a snapshot; return in each environment restored from it."""
    await app.suspend()
    with contextlib.closing(open_runtime(config)) as runtime:
        await runtime.wait_restored()
        log.info("restored from a snapshot")
        try:
            await app.resume()
        except AfterRestoreError as error:
            log.error("%s", error.line())
            await runtime.post_restore_error(error)
            raise


async def _cancel_on_signal(signals: Signals, scope: trio.CancelScope) -> None:
    await signals.wait()
    scope.cancel()


async def _stop_after_exit(exited: trio.Event, loops: Sequence[InvokeLoop]) -> None:
    """Stop the loops when the application has exited: no other event would succeed."""
    await exited.wait()
    for each in loops:
        each.stop()


def _leaf_errors(group: BaseExceptionGroup[AdapterError]) -> list[AdapterError]:
    leaves: list[AdapterError] = []
    for error in group.exceptions:
        leaves += (
            _leaf_errors(error) if isinstance(error, BaseExceptionGroup) else [error]
        )
    return leaves

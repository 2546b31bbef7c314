"""The nursery: the application, the wait for it, the invoke loops, the signals.

Shell.
"""

import contextlib
import signal
from collections.abc import AsyncIterator, Sequence

import trio

from lambda_adapter.apps.app import App
from lambda_adapter.apps.server import AttachedApp, ChildApp
from lambda_adapter.config import Config
from lambda_adapter.errors import AdapterError, AfterRestoreError, InitError
from lambda_adapter.launcher import Child
from lambda_adapter.observe.logs import configure, log
from lambda_adapter.runtime.extension import Extension
from lambda_adapter.serve.allocator import keep_freed
from lambda_adapter.serve.loops import open_loops, open_runtime, run_loops


def run(config: Config, child: Child | None) -> int:
    """Serve Lambda until it sends SIGTERM, and return the exit status."""
    configure(config.log_format, config.log_level)
    keep_freed(config.function_memory)
    for warning in config.warnings:
        log.warning("%s", warning)
    try:
        app = _metered(config, _open_app(config, child))
    except InitError as error:  # it can't be imported
        return trio.run(_report, config, [error])
    return trio.run(_run, config, app)


def _open_app(config: Config, child: Child | None) -> App:
    """Return the application that the command line and the settings name.

    Raises:
        InitError: one that runs in this process can't be imported.
    """
    if config.asgi_app:
        from lambda_adapter.apps.asgi.app import AsgiApp

        return AsgiApp(config)
    if config.wsgi_app:
        from lambda_adapter.apps.wsgi.app import WsgiApp

        return WsgiApp(config)
    if child:
        return ChildApp(config, child)
    log.info("no command was given: attached to what Lambda starts by itself")
    if config.app_wrapper:
        log.warning(
            "AWS_LWA_EXEC_WRAPPER does nothing here, where Lambda has started the"
            " application: put %s in front of the image's own command",
            config.app_wrapper,
        )
    return AttachedApp(config)


def _metered(config: Config, app: App) -> App:
    if config.metrics != "emf":
        return app
    from lambda_adapter.apps.metered import MeteredApp

    return MeteredApp(app, config.function_name or "unknown")


async def _run(config: Config, app: App) -> int:
    failures: list[AdapterError] = []
    try:
        await supervise(config, app)
    except* AdapterError as group:
        failures += _leaves(group)
    return await _report(config, failures)


async def _report(config: Config, failures: Sequence[AdapterError]) -> int:
    """Log what went wrong, tell Lambda, and return the exit status."""
    for failure in failures:
        log.error("%s", failure.line())
        with contextlib.closing(open_runtime(config)) as runtime:
            match failure:
                case InitError():
                    await runtime.post_init_error(failure)
                case AfterRestoreError():
                    await runtime.post_restore_error(failure)
    return 1 if failures else 0


async def supervise(config: Config, app: App) -> None:
    """Run the application and the invoke loops side by side, until SIGTERM.

    Raises:
        ExceptionGroup: of InitError, AfterRestoreError or FatalError.
    """
    extension = Extension(*config.runtime_api)
    registered, ready = trio.Event(), trio.Event()
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_on_signal, signals, nursery.cancel_scope)
            nursery.start_soon(extension.run, app.extension_name, registered)
            nursery.start_soon(app.run, ready)
            await ready.wait()
            await registered.wait()
            if config.initialization_type == "snap-start":
                await _restore(config, app)
            if config.max_concurrency > 1:
                from lambda_adapter.http.timer import share_timer

                share_timer(nursery)
            nursery.start_soon(run_loops, open_loops(config, app))


async def _restore(config: Config, app: App) -> None:
    """Let Lambda take its snapshot, and return in each environment restored from it."""
    await app.suspend()
    with contextlib.closing(open_runtime(config)) as runtime:
        await runtime.wait_restored()
    log.info("restored from a snapshot")
    await app.resume()


async def _cancel_on_signal(
    signals: AsyncIterator[int], scope: trio.CancelScope
) -> None:
    async for number in signals:
        log.info("ending on %s", signal.Signals(number).name)
        for further in (signal.SIGTERM, signal.SIGINT):  # trio would raise them again
            signal.signal(further, signal.SIG_IGN)
        scope.cancel()


def _leaves(group: BaseExceptionGroup[AdapterError]) -> list[AdapterError]:
    leaves: list[AdapterError] = []
    for error in group.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves

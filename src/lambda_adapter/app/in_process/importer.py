"""Import the application; and end a process that does not end by itself."""

import gc
import importlib
import os
import signal
import sys

from lambda_adapter.app.in_process.interface import Kind, adapt
from lambda_adapter.app.in_process.lazy_imports import make_imports_lazy
from lambda_adapter.config import Config
from lambda_adapter.errors import AppImportError
from lambda_adapter.observe.logs import describe_error, log

LONGEST = 1.0
"""Seconds after which the process ends, whatever its application still does. Lambda
sends SIGKILL sooner, but other systems may not."""


def arm_watchdog(seconds: float = LONGEST) -> None:
    """Let Linux end this process after so many seconds, unless it ends by itself."""
    # A task that swallows its cancellation, a thread that does not return or a function
    # of ``atexit`` could keep it for ever, and there is no child to kill instead.
    # SIGALRM's default action needs no Python, which may be what hangs.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


NO_COLLECTION = 2_000_000_000
"""A threshold of the garbage collector that no import reaches. Unlike ``gc.disable``,
it shows whether the application has set up the collector itself."""

LAYERS = "/opt/python"
"""Where Lambda unpacks layers for Python, and its own runtimes import from:
https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html"""


def load(name: str, config: Config, kind: Kind) -> object:
    """Import ``module:attribute``, or call the factory of ``module:factory()``.

    Raises:
        AppImportError: it can't be imported, its factory failed, or it is no
            application of this kind.
    """
    sys.path[:0] = _missing(_places(config))
    make_imports_lazy(config)
    # Imported objects are not garbage, and frozen they cost no later collection.
    thresholds = gc.get_threshold()
    gc.set_threshold(NO_COLLECTION)
    try:
        found = _find_callable(name)
        _refuse_patches(name)
        return adapt(found, name, kind)
    except (AppImportError, KeyboardInterrupt):
        raise
    except BaseException as error:
        # SystemExit as well: a module may call sys.exit, and it is to be an InitError
        # that names the application. Also after a failure, since a replaced lock or
        # socket may be the reason for it.
        _refuse_patches(name)
        log.error("the application %r can't be imported", name, exc_info=error)
        reason = describe_error(error)
        raise AppImportError(
            f"the application {name!r} can't be imported: {reason}"
        ) from error
    finally:
        gc.freeze()
        if gc.get_threshold()[0] == NO_COLLECTION:
            gc.set_threshold(*thresholds)


def _find_callable(name: str) -> object:
    module, _, path = name.partition(":")
    found: object = importlib.import_module(module)
    for attribute in path.removesuffix("()").split("."):
        found = getattr(found, attribute)
    if not callable(found):
        raise TypeError(f"{name} is a {type(found).__name__}, which can't be called")
    return found() if path.endswith("()") else found


GREEN = {"gevent": "gevent.monkey", "eventlet": "eventlet.patcher"}
"""Libraries that replace parts of the standard one, and the modules that do so."""

NEEDED = frozenset({"select", "selectors", "socket", "thread", "threading", "queue"})
"""Modules that trio and the adapter's threads can't do without."""


def _refuse_patches(name: str) -> None:
    """Refuse an application that has replaced modules on which the adapter runs.

    Raises:
        AppImportError: gevent or eventlet has replaced one of ``NEEDED``.
    """
    for library, module in GREEN.items():
        patches = vars(sys.modules.get(module, object))
        patched = {*patches.get("saved", ()), *patches.get("already_patched", ())}
        if parts := sorted(patched & NEEDED):
            raise AppImportError(
                f"the application {name!r} can't run in the adapter's process, because"
                f" {library} has replaced {', '.join(parts)}: run it as a command, as"
                f" in gunicorn -k {library} {name}"
            )


def _places(config: Config) -> list[str]:
    """Return where an application and its packages may be, the likeliest first."""
    python = "python{}.{}".format(*sys.version_info)
    layers = (f"{LAYERS}/lib/{python}/site-packages", LAYERS)
    places = [config.app_dir or "", os.getcwd(), config.task_root, *layers]
    return [os.path.abspath(place) for place in places if os.path.isdir(place or ".")]


def _missing(places: list[str]) -> list[str]:
    return [place for place in dict.fromkeys(places) if place not in sys.path]

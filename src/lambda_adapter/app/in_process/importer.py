"""Import the application; and end a process that does not end by itself."""

import gc
import importlib
import os
import signal
import sys
from types import FrameType

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
        advice = _advise(error, name, config)
        log.error("the application %r can't be imported", name, exc_info=_trim(error))
        reason = describe_error(error)
        raise AppImportError(
            f"the application {name!r} can't be imported: {reason}{advice}"
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


def _trim(error: BaseException) -> BaseException:
    """Return an error whose traceback begins in the application.

    What is above is always the same: this module, and importlib. An error of a module
    that can't be compiled has no frame of its own, and names its file by itself.
    """
    frames = error.__traceback__
    while frames and _is_importing(frames.tb_frame):
        frames = frames.tb_next
    if frames or isinstance(error, SyntaxError):
        return error.with_traceback(frames)
    return error


def _is_importing(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__") or ""
    return name == __name__ or name.startswith(("importlib", "_frozen_importlib"))


def _advise(error: BaseException, name: str, config: Config) -> str:
    """Return where a missing module was looked for, or what was meant; else ""."""
    module, _, path = name.partition(":")
    match error:
        case ModuleNotFoundError(name=str(missing)):
            if module == missing or module.startswith(f"{missing}."):
                places = ", ".join(dict.fromkeys(_places(config)))
                return f"; it was looked for in {places}, and among installed packages"
            return f"; is it installed for {sys.executable}?"
        case AttributeError(name=str(wrong), obj=obj) if _is_raised_here(error):
            from difflib import get_close_matches  # slow to import, and rarely needed

            known = [each for each in getattr(obj, "__dict__", {}) if each[:1] != "_"]
            usual = [each for each in ("app", "application") if each in known]
            if near := [*get_close_matches(wrong, known, 1), *usual]:
                return f"; did you mean {module}:{path.replace(wrong, near[0], 1)}?"
    return ""


def _is_raised_here(error: BaseException) -> bool:
    """Return whether the name was missing that the command line has, and no other."""
    frames = error.__traceback__
    while frames and frames.tb_next:
        frames = frames.tb_next
    return frames is not None and frames.tb_frame.f_globals.get("__name__") == __name__


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

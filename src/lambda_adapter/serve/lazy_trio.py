"""Import trio lazily: only the parts of the package that the adapter uses.

How it works: ``sys.modules["trio"]`` becomes trio's own module, but its ``__init__``
has not run yet. The module has the names in ``NAMES``, taken from the submodules that
define them. Access to any other name runs the ``__init__``. So every name is trio's own
object, and the only difference to ``import trio`` is the time it takes.

Why not simply ``import trio``: that also imports TLS, DTLS, subprocesses, files and
paths, which takes a fifth of the adapter's start (measured). The standard library's
``LazyLoader`` would import all of them at the first access to any name.

An application in the adapter's process may import trio as well, from any thread. It
gets the same module, and with the first name that is not in ``NAMES``, or with
``dir``, all of it. Only ``vars`` shows that it is not loaded yet.

What could go wrong: a later trio may have another layout. Then it is imported as usual,
and tests/serve/test_lazy_trio.py fails.
"""

from __future__ import annotations

import contextlib
import sys
from _frozen_importlib import module_from_spec  # as importlib.util, which is not loaded
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "trio": {
        "_core": (
            *("BrokenResourceError", "BusyResourceError", "ClosedResourceError"),
            *("CancelScope", "Cancelled", "EndOfChannel", "Nursery", "WouldBlock"),
            *("TASK_STATUS_IGNORED", "current_effective_deadline", "current_time"),
            *("RunFinishedError", "TaskStatus", "open_nursery", "run"),
        ),
        "_sync": ("CapacityLimiter", "Condition", "Event", "Lock", "Semaphore"),
        "_timeouts": (
            *("TooSlowError", "fail_after", "fail_at", "move_on_after", "move_on_at"),
            *("sleep", "sleep_forever", "sleep_until"),
        ),
    },
    "trio.lowlevel": {
        "_core": (
            *("Abort", "ParkingLot", "RunVar", "Task", "TrioToken", "add_instrument"),
            *("cancel_shielded_checkpoint", "checkpoint"),
            *("checkpoint_if_cancelled", "current_clock"),
            *("current_task", "current_trio_token", "in_trio_task"),
            *("notify_closing", "reschedule"),
            *("spawn_system_task", "start_thread_soon"),
            *("wait_readable", "wait_task_rescheduled", "wait_writable"),
        ),
    },
}
"""For each lazy module, its names by the submodule that defines them: those that the
adapter uses, and those that these submodules import from trio."""

_lazy: list[str] = []
"""The modules whose code has not run, the next one last."""
_loading = RLock()
"""Held while it runs. Who asks for a name in another thread waits, as by an import."""


def import_all_of_trio() -> None:
    """Import the whole of trio, but prevent ``ctypes`` from starting a process.

    This is for a process that also runs an application on trio: what it imports at its
    first request would otherwise run the package's code then, and not during the init.

    Raises:
        ImportError: trio is not installed.
    """
    with contextlib.suppress(AttributeError, ImportError), _without_ctypes():
        _import_module("trio")
    if "trio" not in sys.modules:  # an older version, which needs ctypes
        _forget()
        _import_module("trio")


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "trio"]:
        del sys.modules[name]


def import_trio() -> None:
    """Import trio lazily, unless it is imported already.

    Raises:
        ImportError: trio is not installed.
    """
    try:
        if "trio" not in sys.modules:
            with _without_ctypes():
                _build_front()
    except (AttributeError, ImportError):
        # Another layout, or no trio. What was half built is forgotten, so that the
        # import below is an ordinary one, with an ordinary error.
        _forget()
    _import_module("trio")


def _build_front() -> None:
    # trio's own module is the last to run: it expects its submodules to have run.
    _lazy[:] = NAMES
    fronts = {name: _register_lazily(name) for name in NAMES}
    # trio's ``__init__`` does this too: it sets ``__module__`` to the public module,
    # which tracebacks then show.
    fixup = _import_module("trio._util").fixup_module_metadata
    for name, submodules in NAMES.items():
        for submodule, names in submodules.items():
            source = _import_module(f"trio.{submodule}")
            found = {each: getattr(source, each) for each in names}
            fixup(name, found)
            vars(fronts[name]).update(found)


def _import_module(name: str) -> ModuleType:
    """Import a module: ``importlib`` itself is not imported yet, and takes a moment."""
    __import__(name)
    return sys.modules[name]


def _find_spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """Ask all finders for a module, as an import does."""
    finders = (each for each in sys.meta_path if hasattr(each, "find_spec"))
    return next(filter(None, (each.find_spec(name, path) for each in finders)), None)


def _register_lazily(name: str) -> ModuleType:
    """Register a module whose code has not run, and return it.

    Raises:
        ImportError: there is no such module.
    """
    parent, _, child = name.rpartition(".")
    path = sys.modules[parent].__path__ if parent else None
    spec = _find_spec(name, path)
    if spec is None:
        raise ImportError(name)
    module = sys.modules[name] = module_from_spec(spec)
    if parent:
        setattr(sys.modules[parent], child, module)

    # https://docs.python.org/3/reference/datamodel.html#module.__getattr__
    def open_up(attribute: str) -> object:
        # trio's own submodules import each other like this: ``from . import _core``
        submodule = f"trio.{attribute}"
        path = sys.modules["trio"].__path__
        if attribute.startswith("_") and _find_spec(submodule, path):
            return _import_module(submodule)
        _load_wholly()
        try:
            return vars(module)[attribute]
        except KeyError:
            error = f"module {name!r} has no attribute {attribute!r}"
            raise AttributeError(error) from None

    def list_names() -> list[str]:
        _load_wholly()
        return sorted(vars(module))

    vars(module).update(__getattr__=open_up, __dir__=list_names)
    return module


def _load_wholly() -> None:
    """Run the code of each module that is still lazy.

    Submodules that it imports ask trio for names, so this is entered again meanwhile.
    """
    with _loading:
        while _lazy:
            name = _lazy.pop()
            module = sys.modules[name]
            open_up = vars(module)["__getattr__"]
            assert module.__spec__ and module.__spec__.loader  # noqa: S101, PT018
            module.__spec__.loader.exec_module(module)
            # Until then, other threads wait in it. trio's code sets one of its own.
            if vars(module)["__getattr__"] is open_up:
                del module.__getattr__
            del module.__dir__


@contextlib.contextmanager
def _without_ctypes() -> Iterator[None]:
    """Replace ``ctypes`` by a stub without libraries, unless it is imported already.

    trio uses it to look up the C function that names a thread. To find the library,
    ``ctypes.util`` runs ``ldconfig``, or a compiler if that is missing, which is slow:
    https://docs.python.org/3/library/ctypes.html#finding-shared-libraries
    Without a library trio's threads have no names, as on other systems.
    """
    if "ctypes" in sys.modules:
        yield
        return
    kind = type(sys)
    ctypes, util = kind("ctypes"), kind("ctypes.util")
    vars(ctypes).update(util=util, CDLL=_load_nothing)
    vars(util).update(find_library=_find_nothing)
    sys.modules.update({"ctypes": ctypes, "ctypes.util": util})
    try:
        yield
    finally:
        del sys.modules["ctypes"], sys.modules["ctypes.util"]


def _find_nothing(_name: str) -> None:
    return None


def _load_nothing(name: str) -> None:
    raise OSError(f"{name} is not loaded")

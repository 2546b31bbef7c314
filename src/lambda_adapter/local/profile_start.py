"""Run a program of Python, and record its imports: ``local --profile-imports``.

``python profile_start.py SOCKET (-m MODULE | -c CODE | FILE) ARGUMENT...``. It runs in
the application's own interpreter, which may not have the adapter: so it imports nothing
of the adapter's but a file beside this one.

An import is *needed* if code of a module that it loaded has run once it was over: in a
request, at the start, or in another import. So it records for each file by which
imports it was loaded, one within the other, and for each function that runs which of
these are still open. The first run of a function outside all of them says all that
there is to know, so that from Python 3.12 on nothing is asked of it any more.
What is not seen: code in C, and constants and classes that are only looked up.
"""

import builtins
import importlib
import importlib.util
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, ModuleType
from typing import ParamSpec

P = ParamSpec("P")

DEBUG_START = os.path.join(os.path.dirname(os.path.abspath(__file__)), "debug_start.py")

LEAST = 0.001
"""Seconds that an import has to take to be shown."""

MOST = 15
"""Imports that are shown of either kind."""

OURS = frozenset({"lambda_adapter", "trio", "msgspec", "outcome", "sniffio", "attr"})
"""The adapter's packages, in whose process the application may be."""


IMPORTER = "lambda_adapter.app.in_process.importer"
"""What imports an application in the adapter's process."""


class Import:
    """An import that may load modules, while it is open and afterwards."""

    __slots__ = (
        *("file", "has_code", "importer", "is_open", "is_used", "line", "loaded"),
        *("name", "parent", "seconds"),
    )

    def __init__(self, name: str, frame: FrameType, parent: "Import | None") -> None:
        self.name = name
        self.importer = str(frame.f_globals.get("__name__"))
        self.file = os.path.abspath(frame.f_code.co_filename)
        self.line = frame.f_lineno
        self.parent = parent
        self.is_open = True
        self.has_code = False
        """Whether code of what it has loaded can be seen to run."""
        self.loaded = 0
        """How many modules it has loaded, with those of the imports within."""
        self.seconds = 0.0
        self.is_used = False

    def above(self) -> Iterator["Import"]:
        """Yield the import, and those that it is within, outwards."""
        each: Import | None = self
        while each:
            yield each
            each = each.parent


class Recorder:
    """The imports of this process, and which of them it needed."""

    def __init__(self) -> None:
        self._thread = threading.local()
        self._open = 0
        """How many imports are open, in all threads."""
        self._by_file: dict[str, Import] = {}
        self._known: set[CodeType] = set()
        self._own_seconds = 0.0
        self.imports: list[Import] = []

    def wrap(self, load: Callable[P, ModuleType]) -> Callable[P, ModuleType]:
        """Return a function that imports as ``load`` does, and records it."""

        def recorded(*given: P.args, **named: P.kwargs) -> ModuleType:
            name = str(given[0] if given else named.get("name"))
            if name in sys.modules and not (any(given[3:]) or named):
                return load(*given, **named)  # as most do: they load nothing
            level = given[4] if len(given) > 4 else named.get("level")  # of __import__
            dots = "." * level if isinstance(level, int) else ""
            with self._record(f"{dots}{name}", sys._getframe(1)):
                return load(*given, **named)

        return recorded

    @contextmanager
    def _record(self, name: str, frame: FrameType) -> Iterator[None]:
        parent = getattr(self._thread, "innermost", None)
        made = self._thread.innermost = Import(name, frame, parent)
        self._open += 1
        known, own = len(sys.modules), self._own_seconds
        began = time.perf_counter()
        try:
            yield
        finally:
            own = self._own_seconds - own
            made.seconds = time.perf_counter() - began - own
            self._thread.innermost = parent
            self._open -= 1
            made.is_open = False
            if len(sys.modules) > known:
                self._note(made, list(sys.modules.values())[known:])

    def _note(self, made: Import, modules: list[ModuleType]) -> None:
        made.loaded = len(modules)
        for module in modules:
            # An attribute of a module may be one that is made when it is asked for.
            spec = getattr(module, "__dict__", {}).get("__spec__")
            file = getattr(spec, "origin", None)
            if isinstance(file, str) and file.endswith(".py"):
                made.has_code = True
                self._by_file.setdefault(file, made)
        self.imports.append(made)

    def note_run(self, code: CodeType) -> bool:
        """Note that a function runs; return whether its next run may tell more."""
        each = self._by_file.get(code.co_filename)
        if each:
            began = time.perf_counter()
            while each is not None and not each.is_open:
                each.is_used = True
                each = each.parent
            self._own_seconds += time.perf_counter() - began
        return self._open > 0

    def start(self) -> None:
        """Record from here on."""
        builtins.__import__ = self.wrap(builtins.__import__)
        importlib.import_module = self.wrap(importlib.import_module)
        if monitoring := vars(sys).get("monitoring"):  # from Python 3.12 on
            tool, started = monitoring.PROFILER_ID, monitoring.events.PY_START
            monitoring.use_tool_id(tool, "lambda-adapter")
            disabled = monitoring.DISABLE
            monitoring.register_callback(
                tool,
                started,
                lambda code, _: None if self.note_run(code) else disabled,
            )
            monitoring.set_events(tool, started)
        else:
            threading.setprofile(self._note_call)
            sys.setprofile(self._note_call)

    def stop(self) -> None:
        """Record nothing more. Other threads than this one may note a little more."""
        if monitoring := vars(sys).get("monitoring"):
            monitoring.free_tool_id(monitoring.PROFILER_ID)

    def _note_call(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if event == "call" and code not in self._known and not self.note_run(code):
            self._known.add(code)


class Summary:
    """What there is to say of the imports of a process."""

    def __init__(self, imports: list[Import], folder: str) -> None:
        self._folder = os.path.join(folder, "")
        shown = [each for each in imports if not is_ours(each)]
        self._unneeded = [
            each
            for each in shown
            if each.has_code and not each.is_used and is_outermost(each)
        ]
        self._needed = [
            each for each in shown if each.is_used and self._is_own_file(each)
        ]
        self._total = sum(each.seconds for each in imports if not each.parent)

    def encode(self) -> bytes:
        """Return it as JSON: milliseconds, names, and where the imports are."""
        said = {
            "total_ms": self._total * 1000,
            "unneeded": self._rows(self._unneeded),
            "needed": self._rows(self._needed),
        }
        return json.dumps(said).encode()

    def _rows(self, imports: list[Import]) -> list[dict[str, object]]:
        long = [each for each in imports if each.seconds >= LEAST]
        long.sort(key=lambda each: -each.seconds)
        return [
            {
                "ms": each.seconds * 1000,
                "name": each.name,
                "modules": each.loaded,
                "place": self._place(each),
            }
            for each in long[:MOST]
        ]

    def _place(self, each: Import) -> str:
        if self._is_own_file(each):
            return f"{each.file.removeprefix(self._folder)}:{each.line}"
        return f"{each.importer}:{each.line}"

    def _is_own_file(self, each: Import) -> bool:
        return each.file.startswith(self._folder) and "site-packages" not in each.file


def is_ours(each: Import) -> bool:
    """Return whether the adapter imports it, or what the adapter imports."""
    importers = {above.importer for above in each.above()} - {IMPORTER}
    return any(importer.partition(".")[0] in OURS for importer in importers)


def is_outermost(each: Import) -> bool:
    """Return whether each import around it is used."""
    return all(above.is_used or above is each for above in each.above())


def report_when_asked(recorder: Recorder, path: str) -> None:
    """Connect to `local`, and send it a line of JSON once it sends a byte."""
    try:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
    except OSError:  # it has ended, or has had its report
        return

    def report() -> None:
        if connection.recv(1):
            recorder.stop()
            said = Summary(recorder.imports, os.getcwd()).encode()
            connection.sendall(said + b"\n")
        connection.close()

    threading.Thread(target=report, daemon=True).start()


def main() -> None:
    """Record the imports of the program that the command line names."""
    path, *words = sys.argv[1:]
    spec = importlib.util.spec_from_file_location("debug_start", DEBUG_START)
    if not (spec and spec.loader):
        raise SystemExit(f"{DEBUG_START} is missing")
    start = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(start)
    recorder = Recorder()
    report_when_asked(recorder, path)
    os.register_at_fork(after_in_child=lambda: report_when_asked(recorder, path))
    recorder.start()
    start.run_program(words)


if __name__ == "__main__":
    main()

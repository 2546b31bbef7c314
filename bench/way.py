"""``python -m bench.way [SRC]``: the way of one warm event through the modules.

Where a reader has to look to follow it. Written down are the functions of the adapter
that are entered, in their order, each call once (``tracer``): of an HTTP API's event
with a command behind the adapter, and with an ASGI application in its process, from the
event's arrival to the next request for one; and of a GET through ``local``, in its own
process. From that follow

- **stays**: how often the way comes into a module. Several calls in a row in one module
  are one stay;
- **rooms**: how many modules that are;
- **climbs**: how often a module calls one of a higher floor, or returns to it. A module
  is one floor above the highest that it imports.

``SRC`` is the ``src`` of another checkout, for a comparison. No number depends on the
machine, but those of ``local``, whose tasks take turns, may vary by one or two.
"""

import argparse
import contextlib
import graphlib
import http.client
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import grimp

from bench.harness.adapter import settle
from bench.harness.events import http_api
from bench.harness.session import FUNCTION, open_session
from bench.harness.subjects import (
    CACHE,
    PLAIN,
    PROJECT,
    PYTHON,
    RIVALS,
    BenchError,
    Subject,
    compile_programs,
)

TRACER = PROJECT / "bench" / "tracer"
PACKAGE = "lambda_adapter"
ADAPTER = (PYTHON, "-m", PACKAGE)
TRACES = "BENCH_TRACES"
"""The variable that names the directory for the tracer's files."""

WARM = 5
"""How many events come before the one whose way is shown."""

PATIENCE = 60.0
"""Seconds that a response of ``local`` may take, with its start."""

Call = tuple[str, str]
"""A module, without the package's name, and a function."""


def main() -> None:
    """Print the table, or with ``--list`` the ways as well."""
    parser = argparse.ArgumentParser(prog="python -m bench.way")
    parser.add_argument("src", type=Path, nargs="?", default=PROJECT / "src")
    parser.add_argument("--list", action="store_true", help="print the stays")
    options = parser.parse_args()
    compile_programs()
    source = options.src.resolve()
    floors = floors_of(source)
    ways = {
        "HTTP event, command": _trace_event(source, in_process=False),
        "HTTP event, ASGI in process": _trace_event(source, in_process=True),
        "`local`": _trace_local(source),
    }
    print("| | calls | stays | rooms | climbs |\n|---|---|---|---|---|")
    for name, calls in ways.items():
        counts = len(calls), *measures(calls, floors)
        print(f"| {name} |", *(f"{count} |" for count in counts))
    if options.list:
        for name, calls in ways.items():
            print(f"\n{name}")
            for module, each in groupby(calls, key=lambda call: call[0]):
                functions = " ".join(function for _, function in each)
                print(f"{floors[module]:2} {module:34} {functions}")


def floors_of(source: Path) -> dict[str, int]:
    """Return the floor of each module: 0 for those that import none of the package.

    Raises:
        CycleError: modules import each other.
    """
    sys.path.insert(0, str(source))
    graph = grimp.build_graph(
        PACKAGE, exclude_type_checking_imports=True, cache_dir=None
    )
    imports = {
        each: graph.find_modules_directly_imported_by(each) for each in graph.modules
    }
    floors: dict[str, int] = {}
    for each in graphlib.TopologicalSorter(imports).static_order():
        below = [floors[_short(other)] for other in imports[each]]
        floors[_short(each)] = max(below, default=-1) + 1
    return floors


def measures(calls: Sequence[Call], floors: dict[str, int]) -> tuple[int, int, int]:
    """Return the stays, rooms and climbs of a way."""
    stays = [module for module, _ in groupby(module for module, _ in calls)]
    climbs = sum(floors[one] < floors[other] for one, other in pairwise(stays))
    return len(stays), len(set(stays)), climbs


def _trace_event(source: Path, *, in_process: bool) -> list[Call]:
    subject = (
        Subject("traced", (*ADAPTER, "--asgi", "{callable}"), "inside")
        if in_process
        else Subject("traced", ADAPTER, "child")
    )
    application = PLAIN if in_process else None
    with tempfile.TemporaryDirectory(prefix="way-") as traces:
        environ = _environ(source, traces)
        with open_session(
            subject, application, settles=True, environ=environ
        ) as session:
            session.run([http_api()], WARM)
            since = time.monotonic_ns()
            session.run([http_api()], 1)
            calls = _read(Path(traces) / str(session.pid), since)
    # What follows belongs to the next event.
    asked = [function for _, function in calls].index("RuntimeClient.next_invocation")
    return calls[:asked]


def _trace_local(source: Path) -> list[Call]:
    with (
        tempfile.TemporaryDirectory(prefix="way-") as traces,
        _open_local(_environ(source, traces)) as (pid, port),
    ):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        for _ in range(WARM):
            _get(client, pid)
        since = time.monotonic_ns()
        _get(client, pid)
        return _read(Path(traces) / str(pid), since)


def _get(client: http.client.HTTPConnection, pid: int) -> None:
    client.request("GET", "/")
    client.getresponse().read()
    settle(pid)  # the invocation is reported after the response


@contextlib.contextmanager
def _open_local(environ: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Run ``local``, and return its process ID and the gateway's port.

    Raises:
        BenchError: it did not start.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = [*ADAPTER, "local", "--port", "0", "--app-port", port, "--"]
    with subprocess.Popen(
        [*command, str(CACHE / "app")],
        env={**FUNCTION, **environ},
        cwd=environ[TRACES],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            line = process.stdout.readline()
            if not (url := re.match(r"http://127.0.0.1:(\d+)", line)):
                raise BenchError(f"`local` has no URL in {line!r}")
            yield process.pid, int(url[1])
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate()


def _environ(source: Path, traces: str) -> dict[str, str]:
    return {TRACES: traces, "PYTHONPATH": f"{TRACER}:{source}:{RIVALS}"}


def _read(trace: Path, since: int) -> list[Call]:
    """Return the calls of a trace that are not older than this."""
    lines = [line.split() for line in trace.read_text().splitlines()]
    return [(module, name) for at, module, name in lines if int(at) >= since]


def _short(module: str) -> str:
    return module.removeprefix(f"{PACKAGE}.")


if __name__ == "__main__":
    main()

"""``bench.way``: stays, rooms and climbs of an event's way."""

import subprocess
import sys

from bench import way

from tests.bench.test_bench import PROJECT, needs_compiler

FLOORS = {"serve": 2, "client": 1, "wire": 0}


def test_measures():
    """Calls in a row are one stay; calls of, and returns to, higher floors climb."""
    names = ["serve", "serve", "client", "wire", "wire", "client", "serve"]

    measures = way.measures([(name, "f") for name in names], FLOORS)

    assert measures == (5, 3, 2)


@needs_compiler
def test_ways_are_traced():
    """A way leads from the module that reads the event to the one that goes on."""
    run = subprocess.run(
        [sys.executable, "-m", "bench.way", "--list"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    table, command, in_process, local = run.stdout.split("\n\n")
    assert table.count("\n| ") == 3
    for event in (command, in_process):
        stays = event.splitlines()[1:]
        assert "http.parser" in stays[0]
        assert "InvokeLoop._next" in stays[-1]
    assert "GatewayCall.respond" in local

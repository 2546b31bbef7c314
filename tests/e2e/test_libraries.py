"""Libraries in the adapter's process, on each loop that docs/in-process.md names."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.adapter import open_adapter
from tests.app.in_process.asgi.test_app import LOOPS, PROGRAMS
from tests.catalogue import KINDS
from tests.emulator import PROJECT
from tests.programs.libraries_app import CHECKS, ROWS

PAGE = PROJECT / "docs/in-process.md"
SERVICES = {"asyncpg_connection": "postgres", "redis_asyncio": "redis-server"}
"""Checks that need a service, and its program."""

OF_LOOP = {
    "asyncio": ("any", "asyncio"),
    "trio-asyncio": ("any", "asyncio"),
    "trio": ("any", "trio"),
}


def found(program):
    """Return where a service's program is, Debian's PostgreSQL's place included."""
    places = [str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")]
    path = os.pathsep.join([*places, os.environ["PATH"]])
    return shutil.which(program, path=path)


def started(command, line, **more):
    """Start a service, and return once its log has this."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more
    )
    assert process.stdout
    said = ""
    while line not in said.lower():
        read = process.stdout.readline()
        said += read
        assert read, said
    return process


@pytest.fixture(scope="module")
def services():
    """PostgreSQL and Redis, those that are installed, each on a Unix socket."""
    environ = {}
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        if program := found("postgres"):
            environ["POSTGRESQL"] = directory
            postgres = Path(program).resolve()
            process = stack.enter_context(start_postgresql(postgres, directory))
            stack.callback(process.terminate)
        if program := found("redis-server"):
            environ["REDIS"] = f"{directory}/redis"
            options = ("--port", "0", "--unixsocket", environ["REDIS"], "--save", "")
            redis = started([program, *options], "ready to accept connections")
            stack.callback(stack.enter_context(redis).terminate)
        yield environ


def start_postgresql(server, directory):
    """Start PostgreSQL, which refuses to run as root."""
    data = f"{directory}/data"
    user: dict[str, Any] = {}
    if os.getuid() == 0:
        user = {"user": "nobody", "group": "nogroup"}
        shutil.chown(directory, **user)
    initdb = [server.with_name("initdb"), "-U", "postgres", "--auth", "trust", data]
    subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **user)
    command = [server, "-D", data, "-k", directory, "-c", "listen_addresses="]
    return started(command, "ready to accept connections", **user)


@pytest.mark.parametrize("loop", LOOPS)
async def test_checks(runtime, loop, services):
    """A library works on each loop as under its usual server."""
    failed = {}
    missing = {check for check, program in SERVICES.items() if not found(program)}
    async with open_adapter(
        runtime.address,
        ["--app-dir", PROGRAMS, "--asgi", "libraries_app:app"],
        AWS_LWA_ASGI_LOOP=loop,
        **services,
    ):
        for kind in OF_LOOP[loop]:
            for name in set(CHECKS[kind]) - missing:
                event = KINDS["function_url"]("GET", f"/{kind}/{name}")
                posted = await runtime.invoke(event)
                if text := posted.json()["body"]:
                    failed[name] = text

    assert failed == {}, "\n".join(map(str, failed.values()))


def test_services_are_there():
    """In CI, no check is left out for want of its service."""
    missing = [program for program in SERVICES.values() if not found(program)]

    if missing and "CI" not in os.environ:
        pytest.skip(f"not installed: {', '.join(missing)}")
    assert missing == []


def table():
    """Return the table of docs/in-process.md."""
    yes, no = "yes", "\N{EN DASH}"
    rows = ["| | `asyncio` | `trio-asyncio` | `trio` |", "|---|---|---|---|"]
    for kind, checks in CHECKS.items():
        cells = [
            yes if kind in OF_LOOP[loop] else no
            for loop in ("asyncio", "trio-asyncio", "trio")
        ]
        rows += [f"| {ROWS[name]} | {' | '.join(cells)} |" for name in checks]
    return "\n".join(rows)


def test_page_has_the_table():
    """The table in docs/in-process.md has the results of the checks."""
    text = PAGE.read_text("utf-8")
    (there,) = re.findall(
        r"<!-- libraries -->\n(.*?)\n<!-- end -->", text, flags=re.DOTALL
    )

    assert there == table()

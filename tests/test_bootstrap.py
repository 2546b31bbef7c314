"""``bootstrap``: work beside the application's start, which comes first."""

import os
import subprocess
import sys
import threading

import pytest

from lambda_adapter.bootstrap import NICENESS, run_niced
from tests.adapter import environment, open_adapter

LOADING = """
import os, sys

def watch(event, arguments):
    if event == "import" and arguments[0] == "msgspec":
        print(os.getpriority(os.PRIO_PROCESS, 0))
        raise SystemExit(5)

sys.addaudithook(watch)
from lambda_adapter import cli

sys.exit(cli.main())
"""
"""An adapter that prints how nice it is when it imports a library."""


def niceness() -> int:
    """Return the niceness of this thread."""
    return os.getpriority(os.PRIO_PROCESS, 0)


NICEST = 19
"""https://man7.org/linux/man-pages/man7/sched.7.html (nice value)"""


def nicer(before: int) -> int:
    """Return the niceness of work beside an application of this niceness."""
    return min(before + NICENESS, NICEST)


def test_work_is_niced_alone():
    """The work yields the processor to others, and the thread that waits does not."""
    before = niceness()

    assert run_niced(niceness) == nicer(before)
    assert niceness() == before


@pytest.mark.parametrize("start", [0, 5, 15, 19])
def test_work_is_nicer_than_the_process(start):
    """Work yields to an application of any niceness, and never takes priority from it.

    A privileged process could.
    """
    code = (
        "import os; from lambda_adapter.bootstrap import run_niced;"
        "nice = lambda: os.getpriority(os.PRIO_PROCESS, 0);"
        "print(nice(), run_niced(nice), nice())"
    )

    done = subprocess.run(
        ["nice", "-n", str(start), sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=10,
    )

    before, within, after = map(int, done.stdout.split())
    assert before == after == min(niceness() + start, NICEST)
    assert within == nicer(before)


def test_error_is_raised():
    """An error of the work is raised in the thread that waits for it."""

    def fail():
        raise KeyError("missing")

    with pytest.raises(KeyError, match="missing"):
        run_niced(fail)


def test_without_a_thread():
    """If no thread can be started, the main thread does the work."""
    usual = threading.stack_size(1 << 47)  # more than any process has
    try:
        with pytest.raises(RuntimeError, match="thread"):
            threading.Thread(target=niceness).start()
        assert run_niced(niceness) == niceness()
    finally:
        threading.stack_size(usual)


def test_main_thread_stays_the_main_thread():
    """Python takes the waiting thread for the main one, and no other remains."""
    code = (
        "import sys; from lambda_adapter.bootstrap import run_niced;"
        "before = 'threading' in sys.modules; run_niced(lambda: __import__('logging'));"
        "import threading; print(before, threading.main_thread().ident"
        " == threading.get_ident(), threading.active_count())"
    )

    done = subprocess.run(
        [
            sys.executable,
            "-IS",
            "-c",
            f"import sys; sys.path[:0] = {sys.path!r}; {code}",
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=10,
    )

    assert done.stdout == "False True 1\n"


@pytest.mark.parametrize("command", [["true"], []], ids=["child", "attached"])
def test_imports_yield_to_the_application(command):
    """The adapter imports at a low priority while its child starts."""
    nice = nicer(niceness()) if command else niceness()
    done = subprocess.run(
        [sys.executable, "-c", LOADING, *command],
        env=environment("127.0.0.1:1", 1, {}),
        stdout=subprocess.PIPE,
        text=True,
        timeout=10,
        check=False,
    )

    assert (done.returncode, done.stdout) == (5, f"{nice}\n")


async def test_serves_at_its_usual_priority(runtime):
    """While it serves, the adapter's niceness is the application's."""
    async with open_adapter(runtime.address) as adapter:
        await runtime.wait_posted("/next")
        pids = [adapter.process.pid, adapter.child()]
        nice = [os.getpriority(os.PRIO_PROCESS, pid) for pid in pids]

    assert nice == [niceness()] * 2

"""Run Django's own tests, and write their outcomes: its runner is not pytest."""

import atexit
import os
import runpy
import sys
import unittest

from lambda_between import clients, outcomes, write


def main() -> None:
    """Be tests/runtests.py, in the folder that has it."""
    for name, outcome in (
        ("addSuccess", "passed"),
        ("addFailure", "failed"),
        ("addError", "failed"),
        ("addSkip", "skipped"),
        ("addExpectedFailure", "passed"),
        ("addUnexpectedSuccess", "failed"),
        ("addSubTest", "failed"),
    ):
        setattr(unittest.TextTestResult, name, _noting(name, outcome))
    if os.environ.get("BETWEEN"):
        clients.django()
    atexit.register(write)
    sys.argv[0] = "runtests.py"
    sys.path.insert(0, os.getcwd())
    runpy.run_path("runtests.py", run_name="__main__")


def _noting(name: str, outcome: str):
    method = getattr(unittest.TextTestResult, name)

    def note(self, test, *details):
        is_failed = outcome == "failed" and not (
            name == "addSubTest" and details[-1] is None
        )
        if is_failed or outcome != "failed":
            worst = outcomes.get(test.id()) == "failed"
            outcomes[test.id()] = "failed" if worst else outcome
        return method(self, test, *details)

    return note


if __name__ == "__main__":
    main()

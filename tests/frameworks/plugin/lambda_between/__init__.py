"""A pytest plugin: a gateway and the adapter stand behind a framework's test client.

Without ``BETWEEN``, the name of a function of ``clients``, nothing does. In either case
the outcome of each test is written to the file ``OUTCOMES``.
"""

import json
import os
import re

import pytest

outcomes: dict[str, str] = {}

_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
"""Of an object whose ``repr`` is part of a test's name."""


def pytest_configure() -> None:
    """Put them there."""
    if name := os.environ.get("BETWEEN"):
        from lambda_between import clients

        getattr(clients, name)()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note the worst of a test's three phases, or that it was skipped."""
    name = _ADDRESS.sub("0x", report.nodeid)
    before = outcomes.setdefault(name, "passed")
    if before == "passed" and report.outcome != "passed":
        outcomes[name] = report.outcome


def pytest_sessionfinish() -> None:
    """Write them."""
    write()


def write() -> None:
    """Write the outcomes, and how many requests went that way."""
    from lambda_between.invocation import served

    found = {"outcomes": outcomes, "requests": len(served)}
    with open(os.environ["OUTCOMES"], "w") as file:
        json.dump(found, file)

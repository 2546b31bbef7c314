"""The function: which environment an invocation gets."""

import time
from concurrent.futures import ThreadPoolExecutor

from lambda_adapter.local.testing import LambdaApp, open_app
from tests.local.conftest import APP

LIMIT = 20


def test_environments():
    """Requests at once have environments of their own, each with a port of its own."""
    with ThreadPoolExecutor() as pool, open_app(APP, environments=2) as app:
        pool.submit(app.get, "/hold")
        holder = wait_holder(app)

        assert app.get("/pid").text != holder


def test_concurrency():
    """One environment takes as many invocations at once as it is said to."""
    with open_app(APP, concurrency=2) as app, ThreadPoolExecutor() as pool:
        holding = pool.submit(app.get, "/hold")
        wait_holder(app)

        app.get("/release")

        assert holding.result(LIMIT).text == "released"


def test_queue():
    """A request waits for the one environment there is, and gets its turn."""
    with open_app(APP) as app, ThreadPoolExecutor() as pool:
        pids = list(pool.map(lambda _: app.get("/pid").text, range(4)))

        assert len(set(pids)) == 1


def wait_holder(app: LambdaApp) -> str:
    """Return the pid of the application that holds a request, once one does."""
    limit = time.monotonic() + LIMIT
    while time.monotonic() < limit:
        for line in (line for each in app.invocations for line in each.lines):
            if line.endswith(" holds"):
                return line.removesuffix(" holds")
    raise AssertionError("nothing is held")

"""The function: which environment an invocation gets."""

import threading
from concurrent.futures import ThreadPoolExecutor

from lambda_adapter.local.testing import LambdaApp, open_app
from tests.local.conftest import APP

LIMIT = 20


def test_environments():
    """Requests at once have environments of their own, each with a port of its own."""
    with ThreadPoolExecutor() as pool, open_app(APP, environments=2) as app:
        first = app.get("/pid").text
        pool.submit(app.get, "/hold")
        wait_line(app, "it holds")

        assert app.get("/pid").text != first


def test_concurrency():
    """One environment takes as many invocations at once as it is said to."""
    with open_app(APP, concurrency=2) as app, ThreadPoolExecutor() as pool:
        holding = pool.submit(app.get, "/hold")
        wait_line(app, "it holds")

        app.get("/release")

        assert holding.result(LIMIT).text == "released"


def wait_line(app: LambdaApp, line: str) -> None:
    """Return once an invocation has printed a line."""
    limit = threading.Event()
    timer = threading.Timer(LIMIT, limit.set)
    timer.start()
    while not any(line in each.lines for each in app.invocations):
        assert not limit.is_set()
    timer.cancel()

"""The suites, and where each has its tests."""

from pathlib import Path
from typing import NamedTuple

REQUIREMENTS = Path(__file__).parent / "requirements"


class Suite(NamedTuple):
    """A framework's own tests."""

    name: str
    client: str
    """The function of ``lambda_between.clients`` that puts the adapter in between."""
    tests: tuple[str, ...] = ("tests",)
    options: tuple[str, ...] = ()
    """More arguments for pytest."""
    runner: tuple[str, ...] = (
        *("pytest", "-q", "--tb=short", "--timeout=60"),
        *("-p", "no:cacheprovider", "-p", "lambda_between"),
    )
    folder: str = "."
    """The working directory, in the folder of the sources."""


SUITES = (
    Suite("flask", "werkzeug"),
    Suite("werkzeug", "werkzeug", options=("-m", "not dev_server")),
    Suite("starlette", "starlette"),
    # Tests of integrations start processes, in which the adapter is not in between.
    Suite("fastapi", "starlette", options=("-k", "not integrations")),
    # So do the tests of servers.
    Suite(
        "falcon",
        "falcon",
        options=(
            "--ignore=tests/asgi/test_asgi_servers.py",
            "--ignore=tests/test_wsgi_servers.py",
        ),
    ),
    Suite("pyramid", "webob"),
    Suite("webob", "webob"),
    Suite("webtest", "webob"),
    Suite(
        "django",
        "django",
        tests=(
            *("asgi", "wsgi", "handlers", "requests_tests", "responses"),
            *("file_uploads", "middleware", "middleware_exceptions", "csrf_tests"),
            *("sessions_tests", "auth_tests", "admin_views", "test_client"),
        ),
        options=("--parallel=1", "--verbosity=0"),
        runner=("lambda_between.django_tests",),
        folder="tests",
    ),
)

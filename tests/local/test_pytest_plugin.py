"""The fixtures: an application on Lambda, in tests of one's own."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambda_adapter.local.option_table import BadOptionError
from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.pytest_plugin import StartsApps
from tests.adapter import ENVIRON, PUPPET
from tests.emulator import PROJECT


def test_a_request_and_what_it_went_through(lambda_app: StartsApps):
    """A test has a client of the gateway, and sees what a request became."""
    app = lambda_app(PUPPET, event="http-api")

    response = app.post("/say", content=b"HTTP/1.1 201 X\r\nx-a: 1\r\n\r\nhello")

    assert (response.status_code, response.headers["x-a"]) == (201, "1")
    assert response.text == "hello"
    assert app.last.event["rawPath"] == "/say"
    assert app.last.reply["statusCode"] == 201  # type: ignore[index]
    assert app.last.title == "POST /say"
    assert app.last.duration_ms > 0
    assert app.last.memory_mb > 1


def test_an_event(lambda_app: StartsApps):
    """An event that is not HTTP goes to the application, and its response back."""
    app = lambda_app(PUPPET)

    invocation = app.invoke({"Records": [1]})

    assert invocation.reply == {"Records": [1]}
    assert app.last is invocation
    assert app.invocations == [invocation]


async def test_in_a_loop(lambda_app: StartsApps):
    """An asynchronous test can use an application, though it waits for it."""
    app = lambda_app(PUPPET)

    assert app.invoke(1).reply == 1
    assert app.last.payload == b"1"


def test_an_application_that_does_not_start(lambda_app: StartsApps):
    """An application that ends before it is ready is an error with its last lines."""
    with pytest.raises(SetupError, match=r"exit(.|\n)*no module of mine"):
        lambda_app([sys.executable, "-c", "raise SystemExit('no module of mine')"])


def test_unknown_option(lambda_app: StartsApps):
    """An option that does not exist is refused by its name."""
    with pytest.raises(BadOptionError, match="prot; did you mean port"):
        lambda_app(PUPPET, prot=1)  # type: ignore[call-arg]


def test_nothing_is_imported_before_a_fixture_is_used():
    """Pytest's runs without these fixtures load none of the libraries behind them."""
    script = (
        "import sys, lambda_adapter.local.pytest_plugin;"
        "print({'trio', 'httpx', 'msgspec', 'hypercorn'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"


@pytest.mark.e2e
def test_example():
    """The example's own tests pass, as its README runs them."""
    example = PROJECT / "examples" / "pytest"
    options = ("-q", "-p", "no:cacheprovider")
    bin_folder = Path(sys.executable).parent
    path = f"{bin_folder}:{ENVIRON['PATH']}"

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=example,
        env=ENVIRON | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout


@pytest.mark.e2e
def test_demo():
    """`make demo` shows a request at both ends, and leaves nothing running."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.local.demo"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "POST /echo/caf%C3%A9%20cr%C3%A8me?size=1%2F2&sugar=" in done.stdout
    assert done.stdout.endswith("ended\n\nAll as it should be.\n")

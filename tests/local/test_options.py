"""What a function is told, and the environment that is made of it."""

import pytest

from lambda_adapter.local.options import (
    Options,
    billed_ms,
    function_environ,
    settings_shown,
)


def test_environ():
    """A function's environment is the given one, and what Lambda sets."""
    environ = function_environ({"A": "1", "AWS_DEFAULT_REGION": "xx"}, memory=512)

    assert environ["A"] == "1"
    assert environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    assert environ["AWS_REGION"] == "xx"
    assert "PORT" not in environ


@pytest.mark.parametrize("given", [{}, {"AWS_LWA_PORT": "1"}, {"PORT": "2"}])
def test_port(given: dict[str, str]):
    """The option's port is the application's, whatever else is set."""
    options = Options(("app",), function_environ(given, app_port=5000))

    assert options.config.port == 5000


def test_invoke_mode():
    """The invoke mode is the option's, or else the setting's."""
    given = {"AWS_LWA_INVOKE_MODE": "response_stream"}

    kept = Options(("app",), function_environ(given))
    changed = Options(("app",), function_environ(given, invoke_mode="buffered"))

    assert kept.config.invoke_mode == "response_stream"
    assert changed.config.invoke_mode == "buffered"


def test_environ_of_an_environment():
    """Each environment has its own port and Runtime API."""
    options = Options(("app",), {"AWS_LWA_PORT": "1"}, concurrency=3)

    environ = options.environ_of(5000, "127.0.0.1:1")

    assert environ == {
        "PORT": "5000",
        "AWS_LWA_PORT": "5000",
        "AWS_LAMBDA_MAX_CONCURRENCY": "3",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1",
    }


def test_settings():
    """The adapter's settings are shown, and nothing else of the environment."""
    environ = {"SECRET": "x", "AWS_LWA_B": "2", "AWS_LWA_A": "1", "AWS_LWA_C": ""}

    assert settings_shown(environ) == ["AWS_LWA_A=1", "AWS_LWA_B=2"]


@pytest.mark.parametrize(
    ("duration", "init", "billed"),
    [(3.0, None, 3), (3.1, None, 4), (3.1, 300.0, 304), (0.2, 0.2, 1)],
)
def test_billed(duration: float, init: float | None, billed: int):
    """Billed milliseconds are rounded up, those of an init as well."""
    assert billed_ms(duration, init) == billed

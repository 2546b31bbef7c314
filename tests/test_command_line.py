"""``options``: the options in front of a command."""

import pytest

from lambda_adapter.command_line import read_options
from lambda_adapter.errors import OptionError


@pytest.mark.parametrize(
    ("argv", "settings", "rest"),
    [
        (["--asgi", "main:app"], {"AWS_LWA_ASGI_APP": "main:app"}, []),
        (["--wsgi=main:app"], {"AWS_LWA_WSGI_APP": "main:app"}, []),
        (
            ["--app-dir", "src", "--asgi", "main:app", "command", "--wsgi"],
            {"AWS_LWA_APP_DIR": "src", "AWS_LWA_ASGI_APP": "main:app"},
            ["command", "--wsgi"],
        ),
        (["--", "--asgi"], {}, ["--asgi"]),
        ([], {}, []),
    ],
)
def test_options(argv, settings, rest):
    """Options are settings, and end where a command begins."""
    assert read_options(argv) == (settings, rest)


@pytest.mark.parametrize("argv", [["--asgi"], ["--asgi="], ["-x"], ["--asg", "a:b"]])
def test_no_options(argv):
    """An option that there is not, and one without a value, are errors."""
    with pytest.raises(OptionError):
        read_options(argv)

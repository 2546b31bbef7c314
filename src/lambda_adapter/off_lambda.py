"""Choose the web server that runs a Python application outside Lambda.

Imported only there.
"""

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec

from lambda_adapter.command_line import find_command
from lambda_adapter.config import Config
from lambda_adapter.errors import AppStartError


def find_server(
    argv: list[str], environ: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Return the server's command, and the environment to start it in.

    Raises:
        ConfigError: a setting can't be used.
        OptionError: the command line also has a command.
        AppStartError: no server is installed.
    """
    config = Config(environ)
    find_command(config, argv)
    return server_command(config), server_environ(config, environ)


def server_command(config: Config) -> list[str]:
    """Return the command of an installed server, for the configured port.

    Raises:
        AppStartError: no server is installed.
    """
    name = config.asgi_app or config.wsgi_app or ""
    plain, is_factory = name.removesuffix("()"), name.endswith("()")
    bind = f"0.0.0.0:{config.port}"
    if config.asgi_app:
        commands = {
            "uvicorn": [
                *("--host", "0.0.0.0", "--port", str(config.port)),
                *(["--factory"] if is_factory else []),
                plain,
            ],
            "hypercorn": ["--bind", bind, name],
        }
    else:
        commands = {
            "gunicorn": ["--bind", bind, name],
            "waitress": [
                f"--listen={bind}",
                *(["--call"] if is_factory else []),
                plain,
            ],
        }
    for module, arguments in commands.items():
        if find_spec(module):
            return [sys.executable, "-m", module, *arguments]
    kind = "an ASGI" if config.asgi_app else "a WSGI"
    raise AppStartError(
        f"outside Lambda, {kind} application needs a web server:"
        f" pip install {next(iter(commands))}"
    )


def server_environ(config: Config, environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the server imports from the same folders."""
    places = [
        config.app_dir,
        environ.get("LAMBDA_TASK_ROOT"),
        environ.get("PYTHONPATH"),
    ]
    path = os.pathsep.join(place for place in places if place)
    return {**environ, "PYTHONPATH": path} if path else dict(environ)

"""Choose the web server that runs a Python application outside Lambda.

Imported only there.
"""

import os
import sys
from collections.abc import Mapping
from importlib.machinery import PathFinder
from importlib.util import find_spec

from lambda_adapter.command_line import find_command
from lambda_adapter.config import Config
from lambda_adapter.errors import AppStartError
from lambda_adapter.settings import SNAPSHOT_APP


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
    name = ""
    made = server_environ(config, environ)
    if config.microvm_hooks_port and _finds_library(made):
        made = add_snapshot_hooks(config, made)
        name = "lambda_adapter_snapshot:app"
    return server_command(config, name), made


def _finds_library(environ: Mapping[str, str]) -> bool:
    """Return whether the application can import AWS's library of SnapStart's hooks."""
    places = environ.get("PYTHONPATH", "").split(os.pathsep)
    return PathFinder.find_spec("snapshot_restore_py", [*places, *sys.path]) is not None


def add_snapshot_hooks(config: Config, environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which ``lambda_adapter_snapshot`` can be imported.

    It calls the hooks of ``snapshot_restore_py`` in the application's process.
    """
    folder = os.path.join(os.path.dirname(__file__), "microvm", "beside_app")
    path = os.pathsep.join(filter(None, [environ.get("PYTHONPATH"), folder]))
    kind = "asgi" if config.asgi_app else "wsgi"
    return {
        **environ,
        "PYTHONPATH": path,
        SNAPSHOT_APP: f"{kind} {config.asgi_app or config.wsgi_app}",
    }


def server_command(config: Config, name: str = "") -> list[str]:
    """Return the command of an installed server, for the configured port.

    Raises:
        AppStartError: no server is installed.
    """
    name = name or config.asgi_app or config.wsgi_app or ""
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

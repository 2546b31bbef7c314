"""Read ``[tool.lambda-adapter.local]`` of pyproject.toml: options used every day."""

import os
import shlex
import tomllib
from collections.abc import Iterable

import msgspec

from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.read_options import BadOptionError, read_given

FILE = "pyproject.toml"
TABLE = "tool.lambda-adapter.local"

APPLICATIONS = ("asgi", "wsgi")


class Project(msgspec.Struct, frozen=True):
    """The file's options by field, and its application."""

    options: dict[str, object] = {}
    application: dict[str, str] = {}
    command: tuple[str, ...] = ()


def read_project(folder: str = ".") -> Project:
    """Return the table in a folder's pyproject.toml, empty if there is none.

    Raises:
        SetupError: the file can't be read, or a value is invalid.
    """
    path = os.path.join(folder, FILE)
    try:
        with open(path, "rb") as file:
            document = tomllib.load(file)
    except FileNotFoundError:
        return Project()
    except (OSError, ValueError) as error:
        raise SetupError(f"{FILE} can't be read: {error}") from error
    table = _pyproject_table(document)
    try:
        command = _command_words(table.pop("command", ()))
        given = read_given(table)
        said = {name: getattr(given, name) for name in _option_fields(table)}
        application = {k: str(said.pop(k)) for k in APPLICATIONS if k in said}
        if len(application) + bool(command) > 1:
            raise BadOptionError("give one of asgi, wsgi and command")
    except ValueError as error:
        raise SetupError(f"{FILE}, [{TABLE}]: {error}") from error
    return Project(said, application, command)


def _option_fields(table: Iterable[str]) -> list[str]:
    """Return the options that a table's keys name, by field."""
    words = (name.replace("-", "_") for name in table)
    return ["gateway" if word == "event" else word for word in words]


def _pyproject_table(document: object) -> dict[str, object]:
    for name in TABLE.split("."):
        document = document.get(name, {}) if isinstance(document, dict) else {}
    if not isinstance(document, dict):
        raise SetupError(f"{FILE}: [{TABLE}] is not a table")
    return dict(document)


def _command_words(command: object) -> tuple[str, ...]:
    """Return the words of a command, given as a string or a list.

    Raises:
        BadOptionError: it is neither.
    """
    if isinstance(command, str):
        return tuple(shlex.split(command))
    if isinstance(command, list | tuple):
        return tuple(str(word) for word in command)
    raise BadOptionError("command is neither text nor a list of words")

"""The options in front of a command: settings, spelled on the command line.

Imported only where there are any. Loads nothing but builtins. Core: no I/O.
"""

from __future__ import annotations

from lambda_adapter.errors import OptionError

OPTIONS = {
    "--asgi": "AWS_LWA_ASGI_APP",
    "--wsgi": "AWS_LWA_WSGI_APP",
    "--app-dir": "AWS_LWA_APP_DIR",
}
"""Options, and the settings that they are."""


def read_options(argv: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return the settings that options stand for, and what follows the options.

    An option's value is the next argument, or stands behind ``=``. ``--`` ends them.

    Raises:
        OptionError: there is no such option, or one has no value.
    """
    settings: dict[str, str] = {}
    rest = list(argv)
    while rest and rest[0].startswith("-"):
        option, equals, value = rest.pop(0).partition("=")
        if option == "--":
            break
        if option not in OPTIONS:
            raise OptionError(f"there is no option {option}{_suggest(option)}")
        if not equals:
            value = rest.pop(0) if rest else ""
        if not value:
            raise OptionError(f"{option} needs a value")
        settings[OPTIONS[option]] = value
    return settings, rest


def _suggest(option: str) -> str:
    from difflib import get_close_matches  # only where a line has to say so

    known = [*OPTIONS, "--version", "--help", "-h", "-V"]
    near = get_close_matches(option, known, 1)
    return f"; did you mean {near[0]}?" if near else ""

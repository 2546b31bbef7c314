"""Judge gunicorn's settings: does it end its workers after a freeze?

Its arbiter kills a worker that has not reported for ``timeout`` seconds, and counts
frozen time: https://docs.gunicorn.org/en/stable/settings.html#timeout
"""

import ast
import re
from collections.abc import Iterator, Sequence

from lambda_adapter.local.check.finding import Finding, warning

DEFAULT = 30.0
"""Seconds of gunicorn's timeout."""

_OPTION = re.compile(r"(?:--timeout[= ]|-t ?)(\d+)$")
_CONFIG = re.compile(r"(?:--config[= ]|-c ?)(\S+)$")


def config_path(command: Sequence[str]) -> str:
    """Return the configuration file that a command names, or the default one's name."""
    return next(_option_values(command, _CONFIG), "gunicorn.conf.py")


def judge_gunicorn(
    command: Sequence[str], frozen: float, config: str = ""
) -> Iterator[Finding]:
    """Judge whether gunicorn is configured not to kill workers at the thaw.

    Args:
        command: its command line, with the options of GUNICORN_CMD_ARGS.
        frozen: the seconds of the freeze that has been tried.
        config: the text of its configuration file.
    """
    given = next(_option_values(command, _OPTION), None)
    timeout = _read_timeout(config) if given is None else float(given)
    if timeout and timeout >= frozen:
        yield warning(
            "thaw",
            f"gunicorn ends its workers after a freeze of {timeout:.0f} s",
            seen=" ".join(command)[:200],
            on_lambda="frozen time counts for --timeout: at the thaw, WORKER TIMEOUT,"
            " and now and then a 500",
            cure="gunicorn --timeout 0",
            page="how-to/freezing.md",
        )


def _option_values(command: Sequence[str], option: re.Pattern[str]) -> Iterator[str]:
    """Return an option's values: in its word, or in the next one."""
    for word, following in zip(command, [*command[1:], ""], strict=True):
        if found := option.match(word) or option.match(f"{word} {following}"):
            yield found[1]


def _read_timeout(config: str) -> float | None:
    """Return the timeout of a configuration; None if the file computes it."""
    try:
        tree = ast.parse(config)
    except SyntaxError:
        return None
    timeout: float | None = DEFAULT
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign) and any(
            isinstance(name, ast.Name) and name.id == "timeout"
            for name in statement.targets
        ):
            timeout = _number_of(statement.value)
    return timeout


def _number_of(value: ast.expr) -> float | None:
    if isinstance(value, ast.Constant) and isinstance(value.value, int | float):
        return float(value.value)
    return None

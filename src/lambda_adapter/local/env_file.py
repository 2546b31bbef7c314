"""Parse files of variables for ``--env-file``: one ``NAME=value`` on each line.

The syntax is what python-dotenv, Node's ``--env-file`` and docker have in common:
comments, ``export`` and quotes. Nothing is expanded.
"""

import re

_NAME = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*")
_QUOTED = re.compile(r"""(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*(?:#.*)?""")
_COMMENT = re.compile(r"(?:^|\s)#")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


class EnvFileError(ValueError):
    """A line that can't be parsed; the message has its number."""


def parse_env_file(text: str) -> dict[str, str]:
    r"""Return the variables of a file; of a repeated one, the last.

    A value in quotes must be on one line: certificates have line ends as ``\n``, in
    double quotes.

    Raises:
        EnvFileError: a line can't be parsed.
    """
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name = _NAME.match(stripped)
        value = _unquote_value(stripped[name.end() :]) if name else None
        if name is None or value is None:
            raise EnvFileError(f"line {number} is not NAME=value")
        variables[name[1]] = value
    return variables


def _unquote_value(text: str) -> str | None:
    """Return a value without quotes and comment, None if a quote is not closed."""
    if not text.startswith(("'", '"')):
        return _COMMENT.split(text, 1)[0].strip()
    found = _QUOTED.fullmatch(text)
    if found is None:
        return None
    if found[1] is not None:
        return found[1]
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), found[2])

"""Files of variables for ``--env-file``, a ``NAME=value`` a line.

The common ground of python-dotenv, Node's ``--env-file`` and docker's: comments,
``export``, quotes. Nothing is expanded.
"""

import re

_NAME = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*")
_QUOTED = re.compile(r"""(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*(?:#.*)?""")
_COMMENT = re.compile(r"(?:^|\s)#")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


class EnvFileError(ValueError):
    """A line that is no variable, a comment or empty, by its number."""


def parse_env_file(text: str) -> dict[str, str]:
    r"""Return the variables of a file; of those that are there twice, the last.

    A value in quotes is one line: certificates have their line ends as ``\n``, in
    double quotes.

    Raises:
        EnvFileError: a line can't be read.
    """
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name = _NAME.match(stripped)
        value = _value(stripped[name.end() :]) if name else None
        if name is None or value is None:
            raise EnvFileError(f"line {number} is not NAME=value")
        variables[name[1]] = value
    return variables


def _value(text: str) -> str | None:
    """Return a value without its quotes and comment, None if a quote stays open."""
    if not text.startswith(("'", '"')):
        return _COMMENT.split(text, 1)[0].strip()
    found = _QUOTED.fullmatch(text)
    if found is None:
        return None
    if found[1] is not None:
        return found[1]
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), found[2])

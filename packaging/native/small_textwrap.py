"""What tracebacks take of this module, without its regular expressions."""

from collections.abc import Callable


def indent(text: str, prefix: str, predicate: Callable[[str], bool] = bool) -> str:
    """Put a prefix before each line for which the predicate holds."""
    lines = text.splitlines(keepends=True)
    return "".join(prefix + line if predicate(line) else line for line in lines)

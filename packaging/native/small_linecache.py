"""Lines of sources, of which there are none here: tracebacks have their numbers."""

cache: dict[str, object] = {}


def getline(filename: str, lineno: int, module_globals: object = None) -> str:
    """Return no line."""
    return ""


def getlines(filename: str, module_globals: object = None) -> list[str]:
    """Return no lines."""
    return []


def checkcache(filename: str | None = None) -> None:
    """Do nothing."""


def lazycache(filename: str, module_globals: object) -> bool:
    """Tell that there is nothing to cache."""
    return False

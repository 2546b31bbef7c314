"""Read options that are given by name: in pyproject.toml, and to the fixtures."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import msgspec

from lambda_adapter.local.option_table import FUNCTION, FUNCTION_NAME, Given, flags


class BadOptionError(ValueError):
    """An option does not exist, or its value is invalid."""


def read_given(given: Mapping[str, object]) -> Given:
    """Return options given by name, with ``-`` or ``_`` between words.

    Raises:
        BadOptionError: an option does not exist, or its value is invalid.
    """
    named = {name.replace("_", "-"): value for name, value in given.items()}
    if "event" in named:
        named.setdefault("gateway", named.pop("event"))
    known = [field.encode_name for field in msgspec.structs.fields(Given)]
    for name in named:
        if name not in known:
            raise BadOptionError(f"there is no option {name}{suggest(name, known)}")
    for name, flag in flags().items():
        value = named.get(name.replace("_", "-"))
        if flag.choices and value is not None and value not in flag.choices:
            near = suggest(str(value), list(flag.choices))
            listed = ", ".join(flag.choices)
            raise BadOptionError(f"{name} {value!r} is not one of {listed}{near}")
    function = named.get("function-name", FUNCTION)
    if isinstance(function, str) and not re.fullmatch(FUNCTION_NAME, function):
        raise BadOptionError(
            f"function-name {function!r} is not 1 to 64 letters, digits, - and _"
        )
    try:
        return msgspec.convert(named, Given)
    except msgspec.ValidationError as error:
        raise BadOptionError(str(error).replace(" - at `$.", ", for `")) from error


def suggest(name: str, known: Sequence[str]) -> str:
    """Return a question that names the most similar known name, or ""."""
    near = get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}?" if near else ""

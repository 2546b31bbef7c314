"""What was worked out before, for the short texts that peers send all the time.

To look a text up costs less than to look at it (measured).
"""

from typing import TypeVar

MAX_KNOWN = 512
"""Texts that are remembered. Where there are more they are all forgotten, so that junk
does not stay."""

MAX_KNOWN_SIZE = 256
"""Characters, or bytes, of a text that is remembered."""

Text = TypeVar("Text", str, bytes, tuple[str, str | int | float | bool | None])
Value = TypeVar("Value")


def memoize(known: dict[Text, Value], text: Text, value: Value) -> Value:
    """Keep a value if its text is short, and return it.

    ``known`` is a plain dictionary, for looking a text up in that is what costs least.
    """
    if len(text) <= MAX_KNOWN_SIZE:
        if len(known) >= MAX_KNOWN:
            known.clear()
        known[text] = value
    return value

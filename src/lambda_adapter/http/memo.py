"""Memoize results for the short texts that peers send again and again.

Looking a text up costs less than parsing it (measured).
"""

from typing import TypeVar

MAX_KNOWN = 512
"""Most texts in a table. When it is full it is emptied, so that a flood of unique texts
does not stay in it."""

MAX_KNOWN_SIZE = 256
"""Characters, or bytes, of the longest text that is kept."""

Text = TypeVar("Text", str, bytes, tuple[str, str | int | float | bool | None])
Value = TypeVar("Value")


def memoize(known: dict[Text, Value], text: Text, value: Value) -> Value:
    """Keep a value if its text is short, and return it.

    ``known`` is a plain dictionary, since callers look texts up in it themselves: a
    function call would cost more than the lookup.
    """
    if len(text) <= MAX_KNOWN_SIZE:
        if len(known) >= MAX_KNOWN:
            known.clear()
        known[text] = value
    return value

"""What was worked out before, for the short texts that peers send all the time.

Core: no I/O.
"""

from typing import TypeVar

MAX_KNOWN = 512
"""Texts that are remembered. Where there are more they are all forgotten, so that junk
does not stay."""

MAX_KNOWN_SIZE = 64
"""Characters, or bytes, of a text that is remembered."""

Text = TypeVar("Text", str, bytes)
Value = TypeVar("Value")


class Known(dict[Text, Value]):
    """A bounded memory: looking a text up costs less than looking at it (measured)."""

    def remember(self, text: Text, value: Value) -> Value:
        """Keep the value if its text is short, and return it."""
        if len(text) <= MAX_KNOWN_SIZE:
            if len(self) >= MAX_KNOWN:
                self.clear()
            self[text] = value
        return value

r"""Read JSON with lone surrogates, such as ``"\ud83d"``, which msgspec refuses.

JSON may have half of a pair (https://www.rfc-editor.org/rfc/rfc8259#section-8.2), for
example where a program truncated a text in the middle of an emoji.
"""

import re

import msgspec

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
"""The pattern begins with a literal, so that a search skips ahead to the next one. A
pattern that is tried at each byte takes 600 instructions a byte (measured)."""


_MASK = b"\xff\xff"
"""Two bytes that never occur in UTF-8."""


def without_surrogates(document: bytes) -> bytes:
    """Return JSON of the same shape, with ``?`` in place of each escaped surrogate.

    A document without any is returned itself, not a copy.
    """
    # Mask escaped backslashes, from the left: ``\\ud83d`` is a backslash and text.
    masked = document.replace(rb"\\", _MASK)
    cleaned, number = _SURROGATE.subn(b"?", masked)
    return cleaned.replace(_MASK, rb"\\") if number else document


def is_json(document: bytes) -> bool:
    """Return whether a document is JSON in UTF-8.

    A document that is nested too deeply for msgspec counts as JSON.
    """
    try:
        document.decode()  # msgspec skips strings without checking that they are UTF-8
        try:
            msgspec.json.decode(document, type=msgspec.Raw)
        except msgspec.DecodeError:
            msgspec.json.decode(without_surrogates(document), type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    except RecursionError:
        return True
    return True

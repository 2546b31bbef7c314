"""Detect the encoding of an event: PowerShell writes UTF-16, editors a mark first."""

import codecs

_MARKS = {
    codecs.BOM_UTF8: ("UTF-8 with a byte order mark", "utf-8-sig"),
    codecs.BOM_UTF32_LE: ("UTF-32", "utf-32"),
    codecs.BOM_UTF32_BE: ("UTF-32", "utf-32"),
    codecs.BOM_UTF16_LE: ("UTF-16", "utf-16"),
    codecs.BOM_UTF16_BE: ("UTF-16", "utf-16"),
}
"""UTF-32 before UTF-16, whose mark is the beginning of UTF-32's."""


def describe_encoding(text: bytes) -> str:
    """Return the encoding of a JSON text, "" for plain UTF-8.

    Without a mark, zero bytes beside the first character show it:
    https://www.rfc-editor.org/rfc/rfc4627#section-3
    """
    found = _find_encoding(text)
    return f"in {found[0]}: save it as UTF-8" if found else ""


def read_event_text(text: bytes) -> bytes:
    """Return a JSON text as plain UTF-8.

    Raises:
        UnicodeDecodeError: the text is not valid in the detected encoding.
    """
    found = _find_encoding(text)
    return text.decode(found[1]).encode() if found else text


def _find_encoding(text: bytes) -> tuple[str, str] | None:
    for mark, found in _MARKS.items():
        if text.startswith(mark):
            return found
    if len(text) > 1 and text[1] == 0:
        return "UTF-16", "utf-16-le"
    if len(text) > 1 and text[0] == 0:
        return "UTF-16", "utf-16-be"
    return None

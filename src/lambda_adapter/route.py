"""Routes: the one spelling of a path, so that all the others can be recognised.

Applications differ in which spellings they take for the same. Who closes a route has to
think of the most lenient one. Loads nothing but builtins, because the
application's start waits for it. Core: no I/O.
"""

from __future__ import annotations

MAX_DECODINGS = 4
"""How often escapes are undone. A proxy and an application that decode twice each are
odd already, and there must be an end: a client may nest thousands."""

_HEX = b"0123456789abcdefABCDEF"


def canonical(path: bytes) -> bytes:
    r"""Return the spelling of a path's route that all its other spellings share.

    Escapes are undone, and those within escapes; ``//``, ``/./`` and ``/../`` are
    resolved; ``\`` is a slash, as for IIS; a segment ends at ``;``, as for servlets
    (https://jakarta.ee/specifications/servlet/6.0/jakarta-servlet-spec-6.0#request-uri-path-processing);
    case and a slash at the end mean nothing.
    """
    for _ in range(MAX_DECODINGS):
        path = _decoded(path)
    segments: list[bytes] = []
    for raw in path.replace(b"\\", b"/").lower().split(b"/"):
        segment = raw.partition(b";")[0]
        if segment == b"..":
            del segments[-1:]
        elif segment not in {b"", b"."}:
            segments.append(segment)
    return b"/" + b"/".join(segments)


def _decoded(path: bytes) -> bytes:
    first, *rest = path.split(b"%")
    return first + b"".join(_unescaped(piece) for piece in rest)


def _unescaped(piece: bytes) -> bytes:
    digits = piece[:2]
    if len(digits) < 2 or digits.strip(_HEX):
        return b"%" + piece
    return bytes([int(digits, 16)]) + piece[2:]

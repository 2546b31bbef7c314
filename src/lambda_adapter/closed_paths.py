"""Decide whether an application could take a path for one that is closed to clients.

Applications differ in how they normalise a path: how often they decode it, what they
make of ``//``, ``..`` and ``;``, and whether they ignore case. They also differ in the
order of these steps, so there is no single normal form to compare. A path therefore
counts as closed if any of these steps, in any order, could lead to a closed one. Erring
on this side costs a client a 403 for an odd path; the other side would open a hook.

Imports only builtins, because the application's start waits for it.
"""

from __future__ import annotations

MAX_DECODINGS = 4
"""How often escapes are decoded. A proxy and an application that each decode twice are
rare, and there must be a limit: a client may nest thousands of escapes."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ClosedPath = tuple[str, ...]
"""The segments of a closed path, without ``.`` and empty ones."""

_HEX = b"0123456789abcdefABCDEF"
_BLANK = bytes([*range(0x21), 0x7F]) + b"+"
"""Control characters and white space, which are ignored. Regular expressions match
``$`` before a final line feed
(https://docs.python.org/3/library/re.html#regular-expression-syntax), URL parsers skip
some anywhere (https://url.spec.whatwg.org/#concept-basic-url-parser), and applications
trim. A ``+`` is a space to an application that decodes paths as it decodes forms."""


def route_of(path: str) -> ClosedPath:
    """Return the segments of a plain path, such as ``/snapstart/after``."""
    return tuple(_segments(_readable(path.encode())))


def reached(path: bytes, routes: Sequence[ClosedPath]) -> ClosedPath | None:
    """Return the closed path that an application may take ``path`` for, or None.

    Everything below a closed path is closed, because a mounted application or a script
    also responds there (https://www.rfc-editor.org/rfc/rfc3875#section-4.1.5). So is a
    segment with an extension, which some frameworks take for a format
    (https://guides.rubyonrails.org/routing.html#dynamic-segments).

    If a path has ``..``, ``;``, ``?``, ``#`` or an empty segment, applications drop
    segments, though not all the same ones: ``..`` removes the one before it, ``;``
    everything up to the next slash that is not escaped
    (https://jakarta.ee/specifications/servlet/6.0/jakarta-servlet-spec-6.0#request-uri-path-processing),
    and after ``//`` comes an authority
    (https://www.rfc-editor.org/rfc/rfc3986#section-4.2). No application reorders the
    rest, so such a path is closed if it has the segments of a closed one in their
    order, whatever other segments are between them.
    """
    text = _readable(path)
    segments = _segments(text)
    leads = _leads_through if _leaves_out(text) else _leads_under
    return next((route for route in routes if leads(segments, route)), None)


def _readable(path: bytes) -> str:
    """Return a path decoded, in lower case, without blanks and control characters."""
    # Decode and strip in turns: a stripped character may have hidden another escape.
    for _ in range(MAX_DECODINGS):
        path = _decoded(path).translate(None, _BLANK)
    text = path.decode("utf-8", "surrogateescape")
    if not text.isprintable():  # U+2028, or a byte that is not UTF-8
        text = "".join(filter(str.isprintable, text))
    return text.casefold().replace("\\", "/")


def _decoded(path: bytes) -> bytes:
    first, *rest = path.split(b"%")
    return first + b"".join([_decode_escape(piece) for piece in rest])


def _decode_escape(piece: bytes) -> bytes:
    """Decode the escape that began before this piece of a path, if it is valid."""
    digits = piece[:2]
    if len(digits) < 2 or digits.strip(_HEX):
        return b"%" + piece
    return bytes([int(digits, 16)]) + piece[2:]


def _leaves_out(text: str) -> bool:
    return any(sign in text for sign in ("..", ";", "?", "#", "//"))


def _segments(text: str) -> list[str]:
    for sign in ";?#":
        text = text.replace(sign, "/")
    return [segment for segment in text.split("/") if segment not in {"", "."}]


def _leads_under(segments: Sequence[str], route: ClosedPath) -> bool:
    return len(segments) >= len(route) and all(map(_is_segment, segments, route))


def _leads_through(segments: Sequence[str], route: ClosedPath) -> bool:
    rest = iter(segments)
    return all(any(_is_segment(segment, name) for segment in rest) for name in route)


def _is_segment(segment: str, name: str) -> bool:
    return segment == name or segment.startswith(name + ".")

"""Routes: which paths an application may take for one that is closed.

Applications differ in how they read a path: how often they decode it, what they make of
``//``, ``..`` and ``;``, whether case counts. They also differ in the order in which
they do so, and therefore no one spelling could be compared. A path reaches a route if
any order of any of these readings leads there. Loads nothing but builtins, because the
application's start waits for it.
"""

from __future__ import annotations

MAX_DECODINGS = 4
"""How often escapes are decoded. A proxy and an application that decode twice each are
odd already, and there must be an end: a client may nest thousands."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ClosedPath = tuple[str, ...]
"""The segments of a path, without ``.`` and empty ones."""

_HEX = b"0123456789abcdefABCDEF"
_BLANK = bytes([*range(0x21), 0x7F]) + b"+"
"""Controls and white space. Regular expressions match ``$`` before a final line feed
(https://docs.python.org/3/library/re.html#regular-expression-syntax), URL parsers skip
some anywhere (https://url.spec.whatwg.org/#concept-basic-url-parser), and applications
trim. A ``+`` is a space to an application that decodes paths as it decodes forms."""


def route_of(path: str) -> ClosedPath:
    """Return the route of a path that is plain, such as ``/snapstart/after``."""
    return tuple(_segments(_readable(path.encode())))


def reached(path: bytes, routes: Sequence[ClosedPath]) -> ClosedPath | None:
    """Return the route that an application may take a path for, or None.

    Everything below a route counts as the route, because a mounted application and a
    script respond there as well (https://www.rfc-editor.org/rfc/rfc3875#section-4.1.5).
    So does a segment with an extension, which some frameworks take for a format
    (https://guides.rubyonrails.org/routing.html#dynamic-segments).

    Where a path has ``..``, ``;``, ``?``, ``#`` or an empty segment, applications leave
    segments out, and not all the same: ``..`` removes what is before it, ``;`` what
    follows up to a slash that is not escaped
    (https://jakarta.ee/specifications/servlet/6.0/jakarta-servlet-spec-6.0#request-uri-path-processing),
    and after ``//`` comes an authority
    (https://www.rfc-editor.org/rfc/rfc3986#section-4.2). No application changes the
    order of what is left, so such a path reaches a route if it has the route's segments
    in their order, whatever else it has between them.
    """
    text = _readable(path)
    segments = _segments(text)
    leads = _leads_through if _leaves_out(text) else _leads_under
    return next((route for route in routes if leads(segments, route)), None)


def _readable(path: bytes) -> str:
    """Return a path decoded, in lower case, without blanks and control characters."""
    for _ in range(MAX_DECODINGS):
        path = _decoded(path).translate(None, _BLANK)
    text = path.decode("utf-8", "surrogateescape")
    if not text.isprintable():  # U+2028, or a byte that is no UTF-8
        text = "".join(filter(str.isprintable, text))
    return text.casefold().replace("\\", "/")


def _decoded(path: bytes) -> bytes:
    first, *rest = path.split(b"%")
    return first + b"".join([_unescaped(piece) for piece in rest])


def _unescaped(piece: bytes) -> bytes:
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
    return len(segments) >= len(route) and all(map(_is, segments, route))


def _leads_through(segments: Sequence[str], route: ClosedPath) -> bool:
    rest = iter(segments)
    return all(any(_is(segment, name) for segment in rest) for name in route)


def _is(segment: str, name: str) -> bool:
    return segment == name or segment.startswith(name + ".")

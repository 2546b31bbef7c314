"""Parsers of settings: each returns a value, or raises ``ValueError``.

The text of the error completes the sentence "expected ...". Imports only builtins,
because the application's start waits for it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_SOCKET_PATH = 107
"""Bytes: https://man7.org/linux/man-pages/man7/unix.7.html"""


def number(kind: str, most: int) -> Callable[[str], int]:
    """Return a parser for integers from 1 to ``most``."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and 1 <= int(text) <= most:
            return int(text)
        raise ValueError(f"{kind} from 1 to {most}")

    return parse


port = number("a port", 65_535)
count = number("a number", 10_000)


def megabytes(text: str) -> int:
    """Parse a number of MB. Anything else is 0, so that it can't prevent a start."""
    return int(text) if text.isascii() and text.isdigit() else 0


def seconds(text: str) -> float:
    """Parse seconds, with or without a fraction."""
    digits = text.replace(".", "", 1)
    if text.isascii() and digits.isdigit() and len(digits) < 10:
        return float(text)
    raise ValueError("seconds, such as 30 or 0.5")


def host(text: str) -> str:
    """Parse a host: a name or an address; brackets around IPv6 are optional."""
    name = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    is_name = name.isascii() and name.isprintable() and not set(name) & set(" /@[]?#")
    if name and is_name and name.count(":") != 1:  # two and more: an IPv6 address
        return name
    raise ValueError("a host name or an IP address")


def target(text: str) -> str:
    """Parse a path, with or without a query; add a missing ``/`` at the start."""
    plain = all("!" <= char <= "~" and char != "#" for char in text)
    if text and plain and (text.startswith("/") or "://" not in text):
        return "/" + text.removeprefix("/")
    raise ValueError(
        "a path such as /health, without a host, spaces, # or non-ASCII letters"
    )


def targets(text: str) -> tuple[str, ...]:
    """Read a list of paths, each with a query or without."""
    try:
        return tuple(target(item.strip()) for item in text.split(","))
    except ValueError:
        raise ValueError("a list of paths, such as /,/login") from None


AUTO = "auto"
"""Stands for the stage in the event. It can't be a path, which begins with a slash."""


def prefix(text: str) -> str:
    """Parse a path, without its trailing slash, or ``auto``."""
    if text.lower() == AUTO:
        return AUTO
    try:
        return target(text).rstrip("/")
    except ValueError:
        raise ValueError("a path, such as /api, or auto") from None


def route(text: str) -> str:
    """Parse a path that can be closed to clients."""
    plain = text.startswith("/") and text.isascii() and text.isprintable()
    segments = text.rstrip("/").split("/")[1:]
    odd = set(text) & set(" #?%;\\+") or set(segments) & {"", ".", ".."}
    if plain and segments and not odd:
        return text
    raise ValueError(
        "a plain path other than /, such as /snapstart/after, that can be closed to"
        " clients in all its spellings"
    )


def socket_path(text: str) -> str:
    """Parse the path of a Unix socket."""
    size = len(text.encode("utf-8", "surrogateescape"))
    if text.startswith("/") and size <= MAX_SOCKET_PATH:
        return text
    raise ValueError(f"an absolute path of {MAX_SOCKET_PATH} bytes at most")


def program(text: str) -> str:
    """Parse the path of a program."""
    if text.startswith("/") and text.isprintable():
        return text
    raise ValueError("the absolute path of a program, such as /opt/otel-handler")


def word(text: str) -> str:
    """Parse a word; return it in lower case."""
    if text.isascii() and text.replace("-", "").isalnum():
        return text.lower()
    raise ValueError("a word")


def boolean(text: str) -> bool:
    """Parse a boolean in any of its usual spellings."""
    match text.lower():
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off":
            return False
    raise ValueError("true, 1, yes, on or false, 0, no, off")


def choice(*choices: str) -> Callable[[str], str]:
    """Return a parser that accepts one of these words."""

    def parse(text: str) -> str:
        if text.lower() in choices:
            return text.lower()
        raise ValueError(" or ".join(choices))

    return parse


def statuses(text: str) -> frozenset[int]:
    """Parse a list of statuses and ranges of statuses."""
    statuses: set[int] = set()
    for item in text.split(","):
        first, dash, last = (part.strip() for part in item.partition("-"))
        last = last if dash else first
        numbers = [int(n) for n in (first, last) if n.isascii() and n.isdigit()]
        if len(numbers) != 2 or not 100 <= numbers[0] <= numbers[1] <= 599:
            raise ValueError("statuses and ranges from 100 to 599, such as 200,301-399")
        statuses.update(range(numbers[0], numbers[1] + 1))
    return frozenset(statuses)


def field_name(text: str) -> str:
    """Parse the name of a header; return it in lower case."""
    tokens = all(char.isalnum() or char in "!#$%&'*+-.^_`|~" for char in text)
    if text and text.isascii() and tokens:
        return text.lower()
    raise ValueError("the name of a header, such as x-authorization")


RESERVED = frozenset(
    {
        *("connection", "content-length", "expect", "host", "http2-settings"),
        *("keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"),
        *("upgrade", "x-amz-tenant-id", "x-amzn-lambda-context"),
        *("x-amzn-request-context", "x-amzn-requestid", "x-amzn-trace-id"),
        *("x-forwarded-prefix", "x-lwa-after-reply"),
    }
)
"""Headers that the adapter checks, counts or sets, so they can't be renamed."""


_FOLDED = str.maketrans("!#$%&'*+.^_`|~", "-" * 14)
"""Folds names as CGI does, to which ``content_length`` is ``content-length``."""


def own_field_name(text: str) -> str:
    """Parse the name of a header that the adapter does not need itself."""
    name = field_name(text)
    _refuse_reserved([name])
    return name


def _refuse_reserved(names: list[str]) -> None:
    """Raise ``ValueError`` if the adapter needs one of these headers itself."""
    if reserved := RESERVED.intersection(name.translate(_FOLDED) for name in names):
        raise ValueError(f"a header other than {min(reserved)}")


def renames(text: str) -> tuple[tuple[str, str], ...]:
    """Parse pairs of header names, old and new; each name may occur once."""
    pairs: list[tuple[str, str]] = []
    for item in text.split(","):
        old, _, new = item.partition(":")
        try:
            pairs.append((field_name(old.strip()), field_name(new.strip())))
        except ValueError:
            raise ValueError("old:new, such as x-user:x-client,x-a:x-b") from None
    names = [name.translate(_FOLDED) for pair in pairs for name in pair]
    _refuse_reserved(names)
    if len(set(names)) < len(names):
        raise ValueError("each header only once, as an old name or as a new one")
    return tuple(pairs)


WARM_UPS = (
    ("source", "serverless-plugin-warmup"),
    ("source", "serverless-plugin-lambda-warmup"),
    ("warmer", "true"),
    ("warmup", "true"),
    ("vaporWarmer", "true"),
    ("type", "warmer"),
)
"""Keys of common warm-up events, with their values:
https://github.com/juanjoDiaz/serverless-plugin-warmup,
https://github.com/jeremydaly/lambda-warmer, https://docs.vapor.build (prewarming),
https://opennext.js.org/aws/inner_workings/components/warmer"""


def warm_ups(text: str) -> tuple[tuple[str, str], ...]:
    """Parse a boolean, or keys and values of more kinds of warm-up events."""
    try:
        return WARM_UPS if boolean(text) else ()
    except ValueError:
        pass
    pairs: list[tuple[str, str]] = []
    for item in text.split(","):
        key, _, value = (part.strip() for part in item.partition(":"))
        if not (key and value and item.isprintable()):
            raise ValueError("true, false or key:value, such as ping:true")
        pairs.append((key, value))
    return (*WARM_UPS, *pairs)


def address(text: str) -> tuple[str, int]:
    """Parse ``host:port``."""
    name, _, digits = text.removeprefix("http://").rstrip("/").rpartition(":")
    try:
        return host(name), port(digits)
    except ValueError:
        raise ValueError("host:port, such as 127.0.0.1:9002") from None


def application(text: str) -> str:
    """Parse the name of a Python application: ``module:attribute``."""
    module, _, attribute = text.partition(":")
    words = [*module.split("."), *attribute.removesuffix("()").split(".")]
    if all(word.isidentifier() for word in words):
        return text
    raise ValueError("module:attribute, such as main:app or main:create_app()")


def directory(text: str) -> str:
    """Parse the name of a directory."""
    if text and text.isprintable():
        return text
    raise ValueError("a directory")

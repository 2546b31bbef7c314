"""Values of settings: text in, what it stands for out, or a ``ValueError``.

Loads nothing but builtins, because the application's start waits for it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_SOCKET_PATH = 107
"""Bytes: https://man7.org/linux/man-pages/man7/unix.7.html"""


def number(kind: str, most: int) -> Callable[[str], int]:
    """Return what reads a number up to ``most``."""

    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and 1 <= int(text) <= most:
            return int(text)
        raise ValueError(f"{kind} from 1 to {most}")

    return parse


port = number("a port", 65_535)
count = number("a number", 10_000)


def megabytes(text: str) -> int:
    """Read a number of MB, and what is none as 0: Lambda's word stops no start."""
    return int(text) if text.isascii() and text.isdigit() else 0


def seconds(text: str) -> float:
    """Read seconds, with a fraction or without."""
    digits = text.replace(".", "", 1)
    if text.isascii() and digits.isdigit() and len(digits) < 10:
        return float(text)
    raise ValueError("seconds, such as 30 or 0.5")


def host(text: str) -> str:
    """Read a host: a name or an address, an IPv6 address with brackets or without."""
    name = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    is_name = name.isascii() and name.isprintable() and not set(name) & set(" /@[]?#")
    if name and is_name and name.count(":") != 1:  # two and more: an IPv6 address
        return name
    raise ValueError("a host name or an IP address")


def target(text: str) -> str:
    """Read a path, with a query or without; a ``/`` that is missing is put in front."""
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
"""What stands for the stage that an event names. A path begins with a slash."""


def prefix(text: str) -> str:
    """Read a path without a slash at its end, or ``auto``."""
    if text.lower() == AUTO:
        return AUTO
    try:
        return target(text).rstrip("/")
    except ValueError:
        raise ValueError("a path, such as /api, or auto") from None


def route(text: str) -> str:
    """Read a path that can be closed to clients."""
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
    """Read the path of a Unix socket."""
    size = len(text.encode("utf-8", "surrogateescape"))
    if text.startswith("/") and size <= MAX_SOCKET_PATH:
        return text
    raise ValueError(f"an absolute path of {MAX_SOCKET_PATH} bytes at most")


def program(text: str) -> str:
    """Read the path of a program."""
    if text.startswith("/") and text.isprintable():
        return text
    raise ValueError("the absolute path of a program, such as /opt/otel-handler")


def word(text: str) -> str:
    """Read a word, in lower case."""
    if text.isascii() and text.replace("-", "").isalnum():
        return text.lower()
    raise ValueError("a word")


def boolean(text: str) -> bool:
    """Read a boolean, as people write them."""
    match text.lower():
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off":
            return False
    raise ValueError("true, 1, yes, on or false, 0, no, off")


def choice(*choices: str) -> Callable[[str], str]:
    """Return what reads one of these words."""

    def parse(text: str) -> str:
        if text.lower() in choices:
            return text.lower()
        raise ValueError(" or ".join(choices))

    return parse


def statuses(text: str) -> frozenset[int]:
    """Read statuses and ranges of them."""
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
    """Read the name of a header field, in lower case."""
    tokens = all(char.isalnum() or char in "!#$%&'*+-.^_`|~" for char in text)
    if text and text.isascii() and tokens:
        return text.lower()
    raise ValueError("the name of a header field, such as x-authorization")


RESERVED = frozenset(
    {
        *("connection", "content-length", "expect", "host", "http2-settings"),
        *("keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"),
        *("upgrade", "x-amz-tenant-id", "x-amzn-lambda-context"),
        *("x-amzn-request-context", "x-amzn-requestid", "x-amzn-trace-id"),
        *("x-forwarded-prefix", "x-lwa-after-reply"),
    }
)
"""Fields that are checked, counted or set by the adapter, and keep their names."""


_FOLDED = str.maketrans("!#$%&'*+.^_`|~", "-" * 14)
"""Names as CGI reads them: ``content_length`` is ``content-length`` to it."""


def own_field_name(text: str) -> str:
    """Read the name of a header field that the adapter does not need itself."""
    name = field_name(text)
    _refuse_reserved([name])
    return name


def _refuse_reserved(names: list[str]) -> None:
    """Raise if the adapter checks, counts or sets one of these fields itself."""
    if reserved := RESERVED.intersection(name.translate(_FOLDED) for name in names):
        raise ValueError(f"other header fields than {min(reserved)}")


def renames(text: str) -> tuple[tuple[str, str], ...]:
    """Read pairs of header fields, the old name and the new one, each name once."""
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
        raise ValueError("each header field once, as an old name or as a new one")
    return tuple(pairs)


WARM_UPS = (
    ("source", "serverless-plugin-warmup"),
    ("source", "serverless-plugin-lambda-warmup"),
    ("warmer", "true"),
    ("warmup", "true"),
    ("vaporWarmer", "true"),
    ("type", "warmer"),
)
"""Keys of usual warm-up events, and their values:
https://github.com/juanjoDiaz/serverless-plugin-warmup,
https://github.com/jeremydaly/lambda-warmer, https://docs.vapor.build (prewarming),
https://opennext.js.org/aws/inner_workings/components/warmer"""


def warm_ups(text: str) -> tuple[tuple[str, str], ...]:
    """Read whether there are warm-up events, or keys and values of further ones."""
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
    """Read ``host:port``."""
    name, _, digits = text.removeprefix("http://").rstrip("/").rpartition(":")
    try:
        return host(name), port(digits)
    except ValueError:
        raise ValueError("host:port, such as 127.0.0.1:9002") from None


def application(text: str) -> str:
    """Read the name of an application in Python: ``module:attribute``."""
    module, _, attribute = text.partition(":")
    words = [*module.split("."), *attribute.removesuffix("()").split(".")]
    if all(word.isidentifier() for word in words):
        return text
    raise ValueError("module:attribute, such as main:app or main:create_app()")


def directory(text: str) -> str:
    """Read the name of a directory."""
    if text and text.isprintable():
        return text
    raise ValueError("a directory")

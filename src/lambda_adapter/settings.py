"""The settings: which variables there are, and what their values may be.

Each is named once, in ``SETTINGS``. Loads nothing but builtins, because the
application's start waits for it. Core: no I/O.
"""

from __future__ import annotations

from lambda_adapter.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

Address = tuple[str, int] | str
"""Where something listens: host and port, or the path of a Unix socket."""


def authority(address: Address) -> bytes:
    """Return the ``Host`` of a request that is not a client's, such as 127.0.0.1:8080.

    For a Unix socket it is ``localhost``.
    https://www.rfc-editor.org/rfc/rfc9110#section-7.2
    """
    if isinstance(address, str):
        return b"localhost"
    host, port = address
    return (f"[{host}]:{port}" if ":" in host else f"{host}:{port}").encode()


MAX_SOCKET_PATH = 107
"""Bytes: https://man7.org/linux/man-pages/man7/unix.7.html"""

PREFIX = "AWS_LWA_"

RUNTIME_API = "AWS_LAMBDA_RUNTIME_API"
"""Set by Lambda and by nobody else; where it is missing, this is not Lambda:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""


def _number(kind: str, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if text.isascii() and text.isdigit() and 1 <= int(text) <= most:
            return int(text)
        raise ValueError(f"{kind} from 1 to {most}")

    return parse


_port = _number("a port", 65_535)
_count = _number("a number", 10_000)


def _seconds(text: str) -> float:
    digits = text.replace(".", "", 1)
    if text.isascii() and digits.isdigit() and len(digits) < 10:
        return float(text)
    raise ValueError("seconds, such as 30 or 0.5")


def _host(text: str) -> str:
    host = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    is_name = host.isascii() and host.isprintable() and not set(host) & set(" /@[]?#")
    if host and is_name and host.count(":") != 1:  # two and more: an IPv6 address
        return host
    raise ValueError("a host name or an IP address")


def _target(text: str) -> str:
    if text.startswith("/") and all(
        "!" <= char <= "~" and char != "#" for char in text
    ):
        return text
    raise ValueError(
        "a path that begins with / and has no space, # or non-ASCII letter"
    )


def _prefix(text: str) -> str:
    try:
        return _target(text).rstrip("/")
    except ValueError:
        raise ValueError("a path that begins with /, such as /api") from None


def _route(text: str) -> str:
    plain = text.startswith("/") and text.isascii() and text.isprintable()
    segments = text.rstrip("/").split("/")[1:]
    odd = set(text) & set(" #?%;\\+") or set(segments) & {"", ".", ".."}
    if plain and segments and not odd:
        return text
    raise ValueError(
        "a plain path other than /, such as /snapstart/after, that can be closed to"
        " clients in all its spellings"
    )


def _socket_path(text: str) -> str:
    size = len(text.encode("utf-8", "surrogateescape"))
    if text.startswith("/") and size <= MAX_SOCKET_PATH:
        return text
    raise ValueError(f"an absolute path of {MAX_SOCKET_PATH} bytes at most")


def _word(text: str) -> str:
    if text.isascii() and text.replace("-", "").isalnum():
        return text.lower()
    raise ValueError("a word")


def _boolean(text: str) -> bool:
    match text.lower():
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off":
            return False
    raise ValueError("true, 1, yes, on or false, 0, no, off")


def _choice(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() in choices:
            return text.lower()
        raise ValueError(" or ".join(choices))

    return parse


def _statuses(text: str) -> frozenset[int]:
    statuses: set[int] = set()
    for item in text.split(","):
        first, dash, last = (part.strip() for part in item.partition("-"))
        last = last if dash else first
        numbers = [int(n) for n in (first, last) if n.isascii() and n.isdigit()]
        if len(numbers) != 2 or not 100 <= numbers[0] <= numbers[1] <= 599:
            raise ValueError("statuses and ranges from 100 to 599, such as 200,301-399")
        statuses.update(range(numbers[0], numbers[1] + 1))
    return frozenset(statuses)


def _field_name(text: str) -> str:
    tokens = all(char.isalnum() or char in "!#$%&'*+-.^_`|~" for char in text)
    if text and text.isascii() and tokens:
        return text.lower()
    raise ValueError("the name of a header field, such as x-authorization")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.removeprefix("http://").rstrip("/").rpartition(":")
    try:
        return _host(host), _port(port)
    except ValueError:
        raise ValueError("host:port, such as 127.0.0.1:9002") from None


class Setting:
    """One row of the table: a field of ``Config``, its variables, the strongest first.

    ``default`` is text, and is read as if it had been set; ``""`` leaves the field
    empty.
    """

    def __init__(
        self,
        field: str,
        names: tuple[str, ...],
        default: str,
        parse: Callable[[str], object],
        meaning: str,
    ) -> None:
        self.field = field
        self.names = names
        self.default = default
        self.parse = parse
        self.meaning = meaning

    def read(self, variable: str, text: str) -> object:
        """Return the value that ``text`` stands for.

        Raises:
            ConfigError: it stands for none.
        """
        try:
            return self.parse(text.strip())
        except ValueError as error:
            raise ConfigError(variable, text, str(error)) from None


RUNTIME_API_ADDRESS = Setting(
    "runtime_api", (RUNTIME_API,), "127.0.0.1:9001", _address, "set by Lambda"
)

MAX_CONCURRENCY = Setting(
    "max_concurrency", ("AWS_LAMBDA_MAX_CONCURRENCY",), "1", _count, "set by Lambda"
)
"""How many invocations Lambda Managed Instances bring at once."""

INITIALIZATION_TYPE = Setting(
    "initialization_type",
    ("AWS_LAMBDA_INITIALIZATION_TYPE",),
    "on-demand",
    _word,
    "set by Lambda",
)
"""Why this environment is initialised: on demand or before that.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""

FROM_LAMBDA = (RUNTIME_API_ADDRESS, MAX_CONCURRENCY, INITIALIZATION_TYPE)
"""What Lambda sets, and nobody else has to."""

# fmt: off
SETTINGS = (
    Setting("port", ("AWS_LWA_PORT", "PORT"), "8080", _port,
            "the port that the application listens on"),
    Setting("host", ("AWS_LWA_HOST", "HOST"), "127.0.0.1", _host,
            "the host that the application listens on"),
    Setting("unix_socket", ("AWS_LWA_UNIX_SOCKET",), "", _socket_path,
            "the Unix socket that the application listens on, instead of a port"),
    Setting("readiness_port",
            ("AWS_LWA_READINESS_CHECK_PORT", "READINESS_CHECK_PORT"), "", _port,
            "the port of the readiness check; the application's own when not set"),
    Setting("readiness_path",
            ("AWS_LWA_READINESS_CHECK_PATH", "READINESS_CHECK_PATH"), "/", _target,
            "the path of the readiness check"),
    Setting("readiness_protocol",
            ("AWS_LWA_READINESS_CHECK_PROTOCOL", "READINESS_CHECK_PROTOCOL"), "http",
            _choice("http", "tcp"),
            "`http`: a GET must bring a healthy status; `tcp`: a connection is enough"),
    Setting("readiness_healthy_status",
            ("AWS_LWA_READINESS_CHECK_HEALTHY_STATUS",), "100-499", _statuses,
            "the statuses that mean ready, as a list of numbers and ranges"),
    Setting("readiness_timeout",
            ("AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS",), "", _seconds,
            "seconds to get ready in, after which it is an init error; 0: no limit"),
    Setting("async_init", ("AWS_LWA_ASYNC_INIT", "ASYNC_INIT"), "false", _boolean,
            "let Lambda's init end before a slow application is ready"),
    Setting("remove_base_path",
            ("AWS_LWA_REMOVE_BASE_PATH", "REMOVE_BASE_PATH"), "", _prefix,
            "a prefix to be taken off the path of a request"),
    Setting("enable_compression",
            ("AWS_LWA_ENABLE_COMPRESSION",), "false", _boolean,
            "compress whole responses, for clients that accept it"),
    Setting("invoke_mode",
            ("AWS_LWA_INVOKE_MODE",), "buffered",
            _choice("buffered", "response_stream"),
            "`buffered`, or `response_stream` for response streaming"),
    Setting("pass_through_path",
            ("AWS_LWA_PASS_THROUGH_PATH",), "/events", _target,
            "where events that are not HTTP are POSTed to"),
    Setting("authorization_source",
            ("AWS_LWA_AUTHORIZATION_SOURCE",), "", _field_name,
            "a field to be renamed to `authorization`"),
    Setting("error_status_codes",
            ("AWS_LWA_ERROR_STATUS_CODES",), "", _statuses,
            "statuses that fail the invocation instead of answering it"),
    Setting("pool_idle_timeout",
            ("AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS",), "4", _seconds,
            "seconds for which an idle connection to the application is used again"),
    Setting("deadline_margin",
            ("AWS_LWA_DEADLINE_MARGIN_SECONDS",), "0.1", _seconds,
            "seconds before Lambda's deadline at which a request is given up"),
    Setting("before_checkpoint_path",
            ("AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH",), "", _route,
            "what is POSTed to before a SnapStart snapshot is taken"),
    Setting("after_restore_path",
            ("AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH",), "", _route,
            "what is POSTed to after a SnapStart snapshot is restored"),
    Setting("runtime_api_proxy",
            ("AWS_LWA_LAMBDA_RUNTIME_API_PROXY",), "", _address,
            "`host:port` of a proxy of the Runtime API, such as an APM extension's"),
)
# fmt: on

NAMES = tuple(name for setting in SETTINGS for name in setting.names)
"""Every variable that is a setting."""

SHARED = frozenset(
    name
    for setting in SETTINGS
    for name in setting.names
    if setting.field in {"port", "host", "unix_socket"}
)
"""Variables that mean something to an application as well: where it listens."""

ADAPTER_ONLY = frozenset(NAMES) - SHARED
"""Variables that mean nothing to an application."""

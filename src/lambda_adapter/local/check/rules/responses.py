"""Judge responses that would not work as intended on Lambda."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from lambda_adapter.http.messages import Fields
from lambda_adapter.local.check.finding import Finding, failure, warning

MAX_REPLY = 6_291_556
"""Most bytes of an encoded reply:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

MAX_ALB = 1_048_576
"""Most bytes of a reply to a load balancer:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html"""

MAX_FIELDS = 10_240
"""Most bytes of all headers at API Gateway:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""

MARGIN = 0.75
"""Fraction of a limit above which a warning is due."""

_LOCAL = r"(?:localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[::1?\])"
_LOCAL_HOST = re.compile(rf"{_LOCAL}(?::\d+)?", re.IGNORECASE)
_LOCAL_LINK = re.compile(
    rf"""(["'=(]?)\s*((?:https?|wss?):\\?/\\?/{_LOCAL}(?::\d+)?[^\s"'<>)]*)""",
    re.IGNORECASE,
)
_TEXT = re.compile(
    rb"text/|application/(?:[\w.-]+\+)?(?:json|xml|javascript)|\+(?:json|xml)|"
    rb"application/x-www-form-urlencoded",
    re.IGNORECASE,
)


class Answer(msgspec.Struct, frozen=True):
    """A response and its request."""

    path: str
    host: str
    """The request's Host: a gateway's domain."""
    status: int
    fields: Fields
    body: bytes = b""
    port: int = 8080
    """The application's."""
    seconds: float = 0.0

    def value(self, name: bytes) -> str:
        """Return the first value of a header, or ""."""
        return next(iter(self.values(name)), "")

    def values(self, name: bytes) -> list[str]:
        """Return every value of a header."""
        return [v.decode("latin-1") for n, v in self.fields if n.lower() == name]

    @property
    def is_text(self) -> bool:
        """Whether the adapter forwards its body as text."""
        if self.value(b"content-encoding") not in ("", "identity"):
            return False
        kind = self.value(b"content-type").encode()
        if not kind or _TEXT.match(kind):
            try:
                self.body.decode()
            except UnicodeDecodeError:
                return False
            return True
        return False


def judge(answer: Answer) -> Iterator[Finding]:
    """Return all findings for a response."""
    yield from judge_redirect(answer)
    yield from judge_links(answer)
    for cookie in answer.values(b"set-cookie"):
        yield from judge_cookie(answer, cookie)
    yield from judge_size(answer)
    yield from judge_fields(answer)


def judge_redirect(answer: Answer) -> Iterator[Finding]:
    """Judge a redirect: its host, port and scheme, and whether it loops."""
    location = answer.value(b"location")
    if not location or not 300 <= answer.status < 400:
        return
    target = urlsplit(location)
    why = ""
    if target.hostname and _LOCAL_HOST.fullmatch(target.netloc.rpartition("@")[2]):
        why = f"to {target.netloc}, which is the client's own machine there"
    elif target.hostname == answer.host and target.scheme == "http":
        why = "to http:, and API Gateway and function URLs speak https alone"
    elif target.hostname == answer.host and target.port not in (None, 443):
        why = f"to port {target.port}, which no gateway has"
    elif location in (answer.path, f"https://{answer.host}{answer.path}"):
        why = "to itself: a loop"
    if why:
        yield failure(
            "redirect",
            f"GET {answer.path} redirects {why}",
            seen=f"{answer.status} Location: {location}",
            on_lambda="the browser goes to an address where nothing listens",
            cure="redirect to a path alone; or have the server believe"
            " X-Forwarded-Proto and Host (uvicorn --proxy-headers, ProxyFix, trust"
            " proxy)",
        )


def judge_links(answer: Answer) -> Iterator[Finding]:
    """Judge absolute links to this machine, or to http."""
    if not answer.is_text:
        return
    text = answer.body[:1_000_000].decode("utf-8", "replace")
    if found := _LOCAL_LINK.search(text):
        make = failure if found[1] else warning
        yield make(
            "link",
            f"GET {answer.path} has an absolute link to {_host_of_link(found[2])}",
            seen=found[2][:200],
            on_lambda="it leads to the client's own machine",
            cure="make links relative, or of the request's Host",
        )
    elif re.search(rf"http://{re.escape(answer.host)}[/\"'\s<]", text):
        yield warning(
            "link",
            f"GET {answer.path} has an absolute link with http:, which no gateway has",
            seen=f"http://{answer.host}",
            on_lambda="the link leads nowhere, and a browser blocks mixed content",
            cure="make links relative, or have the server believe X-Forwarded-Proto",
        )


def judge_cookie(answer: Answer, cookie: str) -> Iterator[Finding]:
    """Judge a cookie's attributes."""
    name = cookie.partition("=")[0].strip()
    attributes = {
        key.strip().lower(): value.strip()
        for key, _, value in (part.partition("=") for part in cookie.split(";")[1:])
    }
    domain = attributes.get("domain", "").lstrip(".").lower()
    why = ""
    if domain and not f".{answer.host}".endswith(f".{domain}"):
        why = f"Domain={domain}, which is not the gateway's: browsers drop it"
    elif (
        attributes.get("samesite", "").lower() == "none" and "secure" not in attributes
    ):
        why = "SameSite=None without Secure: browsers drop it"
    elif name.startswith(("__Host-", "__Secure-")) and "secure" not in attributes:
        why = f"the prefix of {name} without Secure: browsers drop it"
    elif (path := attributes.get("path", "/")) and not _cookie_covers(
        path, answer.path
    ):
        why = f"Path={path}, where {answer.path} is not: it never comes back there"
    if why:
        make = failure if _LOCAL_HOST.fullmatch(domain) else warning
        yield make(
            "cookie",
            f"GET {answer.path} sets the cookie {name} with {why}",
            seen=re.sub(r"=[^;]*", "=...", cookie, count=1)[:200],
            on_lambda=f"the site's address is a gateway's, such as {answer.host}",
            cure="leave Domain out, set Secure, and take Path from the request",
        )


def judge_size(answer: Answer) -> Iterator[Finding]:
    """Judge a body that exceeds a limit, or nearly does."""
    size = len(answer.body) if answer.is_text else (len(answer.body) + 2) // 3 * 4
    said = f"{len(answer.body):,} bytes"
    if size != len(answer.body):
        said += f", {size:,} as base64"
    if size > MAX_REPLY * MARGIN:
        make = failure if size > MAX_REPLY else warning
        yield make(
            "response-size",
            f"GET {answer.path}: a response of {said}; Lambda's limit is {MAX_REPLY:,}",
            seen=f"{MAX_REPLY - size:,} bytes left",
            on_lambda="a larger response becomes a 502",
            cure="ENV AWS_LWA_INVOKE_MODE=response_stream behind a function URL or REST"
            " API; ENV AWS_LWA_ENABLE_COMPRESSION=true; or a presigned URL of S3",
            page="how-to/streaming.md",
        )
    elif size > MAX_ALB * MARGIN:
        yield warning(
            "response-size",
            f"GET {answer.path}: a response of {said}; a load balancer's limit is"
            f" {MAX_ALB:,}",
            on_lambda="behind a load balancer it becomes a 502; not behind the others",
            cure="ENV AWS_LWA_ENABLE_COMPRESSION=true, or another gateway",
        )


def judge_fields(answer: Answer) -> Iterator[Finding]:
    """Judge headers that exceed API Gateway's limit, or nearly do."""
    size = sum(len(name) + len(value) + 4 for name, value in answer.fields)
    if size > MAX_FIELDS * MARGIN:
        make = failure if size > MAX_FIELDS else warning
        yield make(
            "response-headers",
            f"GET {answer.path}: headers of {size:,} bytes; API Gateway's limit is"
            f" {MAX_FIELDS:,}",
            seen=f"the longest is {_longest_field(answer)}",
            on_lambda="API Gateway makes a 500 of a response with larger headers",
            cure="keep sessions on the server, and cookies and CSP short",
        )


def judge_media(types: dict[str, str]) -> Iterator[Finding]:
    """Judge media types for which a REST API needs a setting; a path for each type."""
    if types:
        named = ", ".join(f"{kind} ({path})" for kind, path in list(types.items())[:5])
        yield warning(
            "binary",
            f"a REST API has to know binary media types: {', '.join(sorted(types))}",
            seen=named,
            on_lambda="a REST API shows clients base64 for types that it is not told"
            " of; all other gateways decode it",
            cure="BinaryMediaTypes: ['*/*']",
            page="reference/events.md",
        )


def _cookie_covers(cookie_path: str, path: str) -> bool:
    path = path.partition("?")[0]
    return cookie_path == "/" or path.startswith(cookie_path.rstrip("/"))


def _host_of_link(link: str) -> str:
    return urlsplit(link.replace("\\", "")).netloc


def _longest_field(answer: Answer) -> str:
    name, value = max(answer.fields, key=lambda each: len(each[1]))
    return f"{name.decode('latin-1')} with {len(value):,} bytes"

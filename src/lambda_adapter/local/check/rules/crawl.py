"""Find the paths to crawl: those that a page links to, unless a GET may do harm."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

_ATTRIBUTE = re.compile(
    rb"""(?:href|src|action)\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE
)
_QUOTED = re.compile(rb'"(/[^"\s\\<>{}]*)"')
_BARE = re.compile(rb"(?:^|[\s(:,])(/[A-Za-z0-9_~.-][^\s,;)<>\"'{}]*)")
_DANGEROUS = re.compile(
    r"log-?out|sign-?out|log_out|delete|remove|destroy|unsubscribe|shutdown|"
    r"/quit\b|/exit\b|/reset\b|/cancel\b",
    re.IGNORECASE,
)
"""Links that may change something: GET is safe by RFC 9110, but not always."""

MAX_PATH = 1_000


def find_paths(path: str, media_type: str, body: bytes, host: str) -> Iterator[str]:
    """Return a page's paths: links, or paths in JSON and plain text."""
    kind = media_type.partition(";")[0].strip().lower()
    body = body[:1_000_000]
    found: list[bytes] = []
    if "html" in kind:
        found = _ATTRIBUTE.findall(body)
    elif "json" in kind:
        found = _QUOTED.findall(body)
    elif kind == "text/plain" or not kind:
        found = _BARE.findall(body[:10_000])
    for each in found:
        link = each.decode("utf-8", "replace").replace("&amp;", "&")
        target = urlsplit(urljoin(f"https://{host}{path}", link))
        if target.scheme in ("http", "https") and target.hostname in (
            *(host, "localhost", "127.0.0.1"),
        ):
            query = f"?{target.query}" if target.query else ""
            if (full := f"{target.path or '/'}{query}") and len(full) < MAX_PATH:
                yield full


def is_safe(path: str) -> bool:
    """Return whether a path can be requested without harm, judged by its name."""
    return not _DANGEROUS.search(path)

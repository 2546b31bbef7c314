"""The documentation's site in a browser: what is found, and what fits the window."""

import functools
import http.server
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.applications import need
from tests.local.browser import Browser, open_browser

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

FOUND = """
[...document.querySelectorAll(".md-search-result__item a.md-search-result__link")]
    .map(link => new URL(link.href).pathname.slice(1)).find(path => path)
"""
TOO_WIDE = """
[document.documentElement, ...document.querySelectorAll(".md-typeset__scrollwrap")]
    .filter(each => each.scrollWidth > each.clientWidth + 1)
    .map(each => each.innerText.slice(0, 60))
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The address of a server with the site: without one, a browser has no search."""
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    need("chromium")
    with open_browser() as browser:
        yield browser


@pytest.mark.parametrize(
    ("term", "page"),
    [
        ("install", "images"),
        ("rollback", "how-to/production"),
        ("verify", "how-to/production"),
        ("alarms", "how-to/production"),
        ("SBOM", "how-to/production"),
        ("cold start", "how-to/production"),
        ("provisioned concurrency", "how-to/production"),
        ("timeout", "when-something-fails"),
        ("504", "when-something-fails"),
        ("connection refused", "when-something-fails"),
        ("CRLF", "when-something-fails"),
        ("exec format", "when-something-fails"),
        ("upload", "reference/limits"),
        ("windows", "how-to/zip"),
        ("layer", "images"),
        ("docker", "how-to/registry"),
        ("mangum", "how-to/mangum"),
        ("fastapi", "how-to/fastapi"),
        ("CORS", "how-to/access"),
        ("X-Ray", "apm"),
        ("sqs", "how-to/events"),
        ("websocket", "reference/events"),
        ("header", "reference/events"),
        ("environment variables", "reference/settings"),
        ("AWS_LWA_PORT", "reference/settings"),
        ("compression", "reference/settings"),
        ("graceful shutdown", "how-to/shutdown"),
        ("background task", "how-to/background-work"),
        ("breakpoint", "how-to/debugging"),
        ("reload", "local"),
        ("pytest", "reference/pytest"),
        ("price", "costs"),
    ],
)
def test_search(browser: Browser, address: str, term: str, page: str):
    """The search's first page for what people look for is the one that has it."""
    browser.resize(1280, "light")
    browser.go(f"{address}/index.html?q={urllib.parse.quote(term)}")
    browser.wait(FOUND)

    assert browser.value(FOUND) == f"{page}.html"


@pytest.mark.parametrize("width", [400, 1280])
def test_pages_fit_the_window(browser: Browser, site: Path, width: int):
    """No page and no table of the site has to be scrolled sideways."""
    browser.resize(width, "light")
    wide: dict[str, list[str]] = {}
    for page in sorted(site.rglob("*.html")):
        if page.name != "404.html":
            browser.go(page.as_uri())
            wide[page.name] = browser.value(TOO_WIDE)

    assert len(wide) > 40
    assert {page: found for page, found in wide.items() if found} == {}

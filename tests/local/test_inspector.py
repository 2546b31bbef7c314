"""The page of invocations: who may see it, and what a browser shows."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lambda_adapter.local.function import Function
from lambda_adapter.local.inspector import MAX_TEXT, QUEUE, EventStream, view
from lambda_adapter.local.invocation import Failure, Invocation
from lambda_adapter.local.options import Options
from lambda_adapter.local.report import Silence
from lambda_adapter.local.testing import LambdaApp, open_app
from tests.e2e.applications import need
from tests.local.browser import Browser, open_browser
from tests.local.conftest import APP

STREAM = """
new Promise(async (resolve) => {
  const began = performance.now(), times = [];
  const response = await fetch("/stream");
  const reader = response.body.getReader();
  for (let part; !(part = await reader.read()).done;)
    times.push((performance.now() - began) / 1000);
  resolve(times);
})
"""


@pytest.fixture(scope="module")
def app() -> Iterator[LambdaApp]:
    """An application whose responses are streamed."""
    with open_app(APP, event="function-url", invoke_mode="response_stream") as app:
        app.get("/print/hello?secret=%3Cb%3E")
        assert app.last.number == 1
        yield app


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    need("chromium")
    with open_browser() as browser:
        yield browser


def test_page(app: LambdaApp):
    """The page has each invocation, escaped, and may run nothing but its own script."""
    response = httpx.get(app.page_url)

    assert response.status_code == 200
    assert "GET /print/hello?secret=%3Cb%3E" in response.text
    assert "&#34;rawPath&#34;: &#34;/print/hello&#34;" in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        pytest.param("", {"Host": "evil.example"}, id="host"),
        pytest.param("", {"Host": "127.0.0.1:1"}, id="port"),
        pytest.param("news", {"Host": "evil.example"}, id="news"),
        pytest.param("../", {}, id="no token"),
        pytest.param("../guess/", {}, id="wrong token"),
        pytest.param("../guess/news", {}, id="news with a wrong token"),
        pytest.param("../..", {}, id="nothing"),
    ],
)
def test_page_is_closed(app: LambdaApp, path: str, fields: dict[str, str]):
    """Without the token, or under another host's name, there is nothing to be seen."""
    url = httpx.URL(app.page_url).join(path)

    response = httpx.get(url, headers=fields)

    if path == "../..":
        assert "invocation" not in response.text
    else:
        assert response.status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [(None, 403), ("http://evil.example", 403), ("null", 403), ("own", 204)],
)
def test_replay_is_the_pages_own(app: LambdaApp, origin: str | None, status: int):
    """An event is replayed for the page alone, whose origin is its own."""
    own = app.page_url.partition("/_lambda")[0]
    fields = {"Origin": own if origin == "own" else origin} if origin else {}
    count = len(app.invocations)

    response = httpx.post(f"{app.page_url}replay/1", headers=fields)

    assert response.status_code == status
    assert len(app.invocations) == count + (status == 204)


def test_replay_of_what_is_forgotten(app: LambdaApp):
    """An invocation that is not remembered is 404."""
    own = app.page_url.partition("/_lambda")[0]

    response = httpx.post(f"{app.page_url}replay/999", headers={"Origin": own})

    assert response.status_code == 404


def test_odd_numbers(app: LambdaApp):
    """A number of thousands of digits is no invocation's, and does no harm."""
    own = app.page_url.partition("/_lambda")[0]
    digits = "1" * 5000

    replayed = httpx.post(f"{app.page_url}replay/{digits}", headers={"Origin": own})
    headers = {"Last-Event-ID": digits}
    with httpx.stream("GET", f"{app.page_url}news", headers=headers) as news:
        assert news.status_code == 200

    assert replayed.status_code == 404


def test_deep_event():
    """An event that is nested deeper than can be laid out is shown as it came."""
    payload = b"[" * 5000 + b"]" * 5000

    assert view(Invocation(payload)).event == payload.decode()


async def test_news_for_a_slow_browser():
    """A browser that is too slow for the news has to connect again; others go on."""
    function = Function(Options(("app",), {}), Silence())
    news = EventStream(function)
    slow = news.subscribe(0)
    for _ in range(QUEUE + 1):
        for listener in function.listeners:
            listener(Invocation(b"{}"))

    kept = [each async for each in slow]

    assert len(kept) == QUEUE


def test_news(app: LambdaApp):
    """What was missed comes first, each with its number to go on from."""
    with httpx.stream("GET", f"{app.page_url}news?after=0") as response:
        lines = response.iter_lines()
        assert next(lines) == "id: 1"
        shown = json.loads(next(lines).removeprefix("data: "))

    assert 'id="invocation-1"' in shown


@pytest.mark.e2e
def test_in_a_browser(app: LambdaApp, browser: Browser, tmp_path: Path):
    """A browser shows each invocation as it happens, and replays one at a click."""
    browser.go(app.page_url)
    browser.wait("document.querySelector('#invocation-1')")
    app.get("/cookies")
    number = app.last.number
    browser.wait(f"document.querySelector('#invocation-{number} .title')")
    title = browser.value(
        f"document.querySelector('#invocation-{number} .title').textContent"
    )

    browser.value(f"document.querySelector('#invocation-{number} summary').click()")
    browser.value(f"document.querySelector('#invocation-{number} button').click()")
    browser.wait(f"document.querySelector('#invocation-{number + 1}')")
    browser.save_picture(Path(os.environ.get("PAGE_PICTURE", tmp_path / "page.png")))

    assert title == "GET /cookies"
    assert app.last.title == "GET /cookies (replayed)"
    assert app.last.reply["statusCode"] == 200  # type: ignore[index]


@pytest.mark.e2e
def test_stream_in_a_browser(app: LambdaApp, browser: Browser):
    """A browser gets the parts of a stream as the application sends them."""
    browser.go(str(app.base_url.join("/large/1")))

    first, *_, last = browser.value(STREAM)

    assert first < 0.25
    assert last > 0.55


def test_view_of_a_failure():
    """A failure is shown with its type, and marked as bad."""
    invocation = Invocation(b"not JSON")
    invocation.fail(Failure("Own", "why"))

    shown = view(invocation)

    assert (shown.status, shown.good, shown.failure) == ("error", False, "Own: why")
    assert shown.event == "not JSON"


def test_view_of_much():
    """What is too long to be shown is cut in its middle."""
    invocation = Invocation(b'"%s"' % (b"x" * 2 * MAX_TEXT))

    assert len(view(invocation).event) < MAX_TEXT + 100
    assert "left out" in view(invocation).event

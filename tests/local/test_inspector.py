"""The page of invocations: who may see it, and what a browser shows."""

import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from lambda_adapter.config import Config
from lambda_adapter.http.messages import Response
from lambda_adapter.local.function import Function
from lambda_adapter.local.inspector import QUEUE, EventStream
from lambda_adapter.local.invocation import Failure, Invocation
from lambda_adapter.local.invocation_view import MAX_TEXT, view
from lambda_adapter.local.options import Options
from lambda_adapter.local.report import Silence
from lambda_adapter.local.testing import LambdaApp, open_app
from tests.adapter import ENVIRON
from tests.e2e.applications import need
from tests.local.browser import Browser, open_browser
from tests.local.client import ask
from tests.local.conftest import APP
from tests.local.terminal import open_terminal
from tests.local.test_advice import WSGI
from tests.ports import free_ports

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
    """Without the token, or under another host's name, the page shows nothing."""
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
    """A number of thousands of digits is refused without harm."""
    own = app.page_url.partition("/_lambda")[0]
    digits = "1" * 5000

    replayed = httpx.post(f"{app.page_url}replay/{digits}", headers={"Origin": own})
    headers = {"Last-Event-ID": digits}
    with httpx.stream("GET", f"{app.page_url}news", headers=headers) as news:
        assert news.status_code == 200

    assert replayed.status_code == 404


def test_deep_event():
    """An event that is nested too deeply for the layout is shown unchanged."""
    deep = b"[" * 101 + b"]" * 101
    in_a_string = b'["' + deep + b'\\"["]'

    assert part(Invocation(deep), "Event") == deep.decode()
    assert part(Invocation(deep[1:-1]), "Event").startswith("[\n  [\n    [\n")
    assert part(Invocation(in_a_string), "Event").startswith("[\n  ")


def part(invocation: Invocation, title: str, config: Config | None = None) -> str:
    """Return what the page shows of an invocation that is over, under a title."""
    invocation.told.set()
    parts = view(invocation, config).parts
    return next(part.text for part in parts if part.title == title)


async def test_news_for_a_slow_browser():
    """A browser that is too slow has to reconnect; others continue."""
    function = Function(Options(("app",), {}), Silence())
    news = EventStream(function)
    slow = news.subscribe(0)
    for _ in range(QUEUE + 1):
        for listener in function.listeners:
            listener(Invocation(b"{}"))

    kept = [each async for each in slow]

    assert len(kept) == QUEUE


def test_news(app: LambdaApp):
    """Missed invocations are sent first, each with a number to resume from."""
    with httpx.stream("GET", f"{app.page_url}news?after=0") as response:
        lines = response.iter_lines()
        assert next(lines) == "event: session"
        assert next(lines).startswith("data: ")
        assert next(lines) == ""
        assert next(lines) == "id: 1"
        shown = json.loads(next(lines).removeprefix("data: "))

    assert shown["over"]
    assert 'id="invocation-1"' in shown["html"]


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
    browser.value(
        f"document.querySelector('#invocation-{number} [data-replay]').click()"
    )
    browser.wait(f"document.querySelector('#invocation-{number + 1} .good')")
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

    invocation.add_line("a line")
    invocation.told.set()

    shown = view(invocation, None)

    assert (shown.status, shown.mood, shown.failure) == ("error", "bad", "Own: why")
    assert [each.title for each in shown.parts][:2] == ["Log", "Event"]
    assert part(invocation, "Event") == "not JSON"


LOGGED = "lambda-adapter: ERROR Runtime.AppRequestError: GET /: closed RequestId: {}"


def test_view_of_an_error_of_the_adapter():
    """A row has what the adapter logged about the failure, without the request ID."""
    ended, refused, served = (Invocation(b"{}") for _ in range(3))
    message = f"RequestId: {ended.request_id} Error: exit status 1"
    ended.fail(Failure("Runtime.ExitError", message))
    refused.take(b'{"statusCode": 502}')
    refused.response = Response(502, b"", [], b"")
    served.take(b'{"statusCode": 500}')
    served.response = Response(500, b"", [], b"")
    refused.add_line("a traceback")
    refused.add_line(LOGGED.format(refused.request_id))
    for invocation in ended, refused, served:
        invocation.told.set()

    assert view(ended, None).failure == "Runtime.ExitError: exit status 1"
    assert view(refused, None).failure == "Runtime.AppRequestError: GET /: closed"
    assert view(served, None).failure == ""


def test_view_of_much():
    """A text that is too long for the page is truncated in its middle."""
    invocation = Invocation(b'"%s"' % (b"x" * 2 * MAX_TEXT))

    assert len(part(invocation, "Event")) < MAX_TEXT + 100
    assert "left out" in part(invocation, "Event")


@pytest.mark.parametrize(
    ("status", "mood"), [(200, "good"), (302, "good"), (404, "warn"), (500, "bad")]
)
def test_view_of_a_status(status: int, mood: str):
    """A client's error and a server's look different."""
    invocation = Invocation(b"{}")
    invocation.response = Response(status, b"", [], b"")
    invocation.told.set()

    assert view(invocation, None).mood == mood


@pytest.mark.e2e
def test_copies_can_be_run(app: LambdaApp, tmp_path: Path):
    """The command that is copied sends the same request, and the test passes."""
    need("curl")
    app.post("/echo?a=%20b", content=b"it's", headers={"x-own": "1 2"})
    shown = view(app.last, app.config, str(app.base_url).rstrip("/"))

    subprocess.run(shlex.split(shown.curl), check=True, capture_output=True)
    again = app.last
    test = shown.test.replace('"COMMAND"', repr(APP))
    (tmp_path / "test_it.py").write_text(test)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=False,
    )

    assert again.title == "POST /echo?a=%20b"
    assert again.event["headers"]["x-own"] == "1 2"  # type: ignore[index]
    assert "1 passed" in done.stdout, done.stdout


def test_request_as_the_application_got_it(app: LambdaApp):
    """The request that is shown is the one that the application got, each header."""
    seen = app.get("/echo").text.replace("\r\n", "\n").strip()

    shown = part(app.last, "Request to the application", app.config)

    ours = {line.partition(":")[0].lower(): line for line in shown.split("\n")[1:]}
    theirs = {line.partition(":")[0].lower(): line for line in seen.split("\n")[1:]}
    for name in ("x-amzn-lambda-context", "x-amzn-requestid", "x-amzn-trace-id"):
        assert ours[name] == theirs[name]
    assert shown.split("\n")[0] == seen.split("\n")[0]


@pytest.mark.e2e
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_layout(app: LambdaApp, browser: Browser, width: int, scheme: str):
    """No row runs out of the window, and a path has its line to itself where narrow."""
    app.get("/status/404?" + "long=" * 40)
    app.get("/status/500")
    browser.resize(width, scheme)
    browser.go(app.page_url)
    browser.value("document.querySelector('.invocation').open = true")

    assert browser.value("document.documentElement.scrollWidth <= innerWidth")
    assert browser.value(NARROWEST) > 200
    browser.save_picture(Path(os.environ.get("PAGE_PICTURE", os.devnull)))


NARROWEST = """
Math.min(...[...document.querySelectorAll(".title")].map((e) => e.clientWidth || 999))
"""


@pytest.mark.e2e
def test_under_way(app: LambdaApp, browser: Browser):
    """A request under way has a row with its time, and becomes the one that is over."""
    browser.go(app.page_url)
    asking = threading.Thread(target=app.get, args=("/hold",))
    asking.start()
    browser.wait(f"/under way for/.test({BUSY}?.textContent)")
    row = browser.value(f"{BUSY}.closest('details').id")
    pid = next(line.split()[0] for line in app.invocations[0].lines if "holds" in line)
    os.kill(int(pid), signal.SIGKILL)
    asking.join(20)

    browser.wait(f"document.querySelector('#{row} .bad')")
    assert not browser.value(BUSY)


BUSY = "document.querySelector('.busy ~ .figures')"


@pytest.mark.e2e
def test_log_of_a_failure_is_first(app: LambdaApp, browser: Browser):
    """The log of a failure is shown first, opened at its end."""
    with suppress(httpx.HTTPError):
        app.get("/broken")
    number = app.last.number
    browser.go(app.page_url)
    browser.value(f"document.querySelector('#invocation-{number} summary').click()")

    row = f"document.querySelector('#invocation-{number}')"
    assert browser.value(f"{row}.querySelector('h3').textContent").startswith("Log")
    browser.wait(
        f"(({row}.querySelector('pre')) && {row}.querySelector('pre').scrollTop +"
        f" {row}.querySelector('pre').clientHeight >="
        f" {row}.querySelector('pre').scrollHeight - 1)"
    )


@pytest.mark.e2e
def test_filter_and_clear(app: LambdaApp, browser: Browser):
    """Rows are filtered by path, status and request id, and cleared until new ones."""
    app.get("/cookies?filtered")
    request_id = app.last.request_id
    browser.go(app.page_url)
    for words in ("cookies 200 FILTERED", request_id):
        browser.value(
            f"(filter.value = {words!r}, filter.dispatchEvent(new Event('input')))"
        )
        assert browser.value(SHOWN) == 1
    browser.value("(filter.value = '', document.getElementById('clear').click())")
    assert browser.value(SHOWN) == 0
    app.get("/cookies")
    browser.wait(f"{SHOWN.strip()} == 1")


SHOWN = "[...document.querySelectorAll('.invocation')].filter((e) => !e.hidden).length"


@pytest.mark.e2e
def test_an_end_and_a_new_beginning(browser: Browser, tmp_path: Path):
    """A page says that the command has ended, and continues when it is back."""
    (tmp_path / "main.py").write_text(WSGI)
    port = str(free_ports(1)[0])
    line = ("--port", port, "--wsgi", "main:app")
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with open_terminal(*line, cwd=tmp_path, env=state) as terminal:
        terminal.wait("^ready")
        url = terminal.lines[1].split()[1]
        browser.go(url)
        browser.wait("/^Connected/.test(state.textContent)")
    browser.wait("/has ended/.test(state.textContent)")

    with open_terminal(*line, cwd=tmp_path, env=state) as terminal:
        terminal.wait("^ready")
        assert terminal.lines[1].split()[1] == url
        ask(int(port), "/again")
        browser.wait("document.querySelector('.title')?.textContent == 'GET /again'")
        browser.wait("/^Connected/.test(state.textContent)")


@pytest.mark.e2e
def test_for_screen_readers(app: LambdaApp, browser: Browser, tmp_path: Path):
    """axe-core finds nothing wrong with the page, wide or narrow, light or dark."""
    need("npm")
    pack = ["npm", "pack", "--silent", "axe-core@4.14.1"]
    subprocess.run(pack, cwd=tmp_path, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("axe-core-*.tgz"))) as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script
        axe = script.read().decode()
    app.get("/status/404")
    app.get("/status/500")

    found = {}
    for width, scheme in itertools.product((400, 1280), ("light", "dark")):
        browser.resize(width, scheme)
        browser.go(app.page_url)
        browser.wait("/^Connected/.test(state.textContent)")
        browser.value("document.querySelectorAll('details').forEach((e) => e.open = 1)")
        browser.call("Runtime.evaluate", expression=axe)
        found[width, scheme] = browser.value(
            "axe.run().then((said) => said.violations.map((each) => each.id))"
        )

    assert set(map(tuple, found.values())) == {()}, found

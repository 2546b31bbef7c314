"""The fixtures: an application on Lambda, in tests of one's own."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambda_adapter.local.invocation import Invocation
from lambda_adapter.local.option_table import AppOptions
from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.pytest_plugin import StartsApps
from lambda_adapter.local.read_options import BadOptionError
from lambda_adapter.local.testing import LambdaApp
from tests.adapter import ENVIRON, PUPPET
from tests.emulator import PROJECT


def test_a_request_and_what_it_went_through(lambda_app: StartsApps):
    """A test has a client of the gateway, and sees what a request became."""
    app = lambda_app(PUPPET, event="http-api")

    response = app.post("/say", content=b"HTTP/1.1 201 X\r\nx-a: 1\r\n\r\nhello")

    assert (response.status_code, response.headers["x-a"]) == (201, "1")
    assert response.text == "hello"
    assert app.last.event["rawPath"] == "/say"
    assert app.last.reply["statusCode"] == 201  # type: ignore[index]
    assert app.last.title == "POST /say"
    assert app.last.duration_ms > 0
    assert app.last.memory_mb > 1


def test_an_event(lambda_app: StartsApps):
    """An event that is not HTTP goes to the application, and its response back."""
    app = lambda_app(PUPPET)

    invocation = app.invoke({"Records": [1]})

    assert invocation.reply == {"Records": [1]}
    assert app.last is invocation
    assert app.invocations == [invocation]


async def test_in_a_loop(lambda_app: StartsApps):
    """An asynchronous test can use an application, though it waits for it."""
    app = lambda_app(PUPPET)

    assert app.invoke(1).reply == 1
    assert app.last.payload == b"1"


def test_an_application_that_does_not_start(lambda_app: StartsApps):
    """An application that ends before it is ready is an error with its last lines."""
    with pytest.raises(SetupError, match=r"exit(.|\n)*no module of mine"):
        lambda_app([sys.executable, "-c", "raise SystemExit('no module of mine')"])


def test_unknown_option(lambda_app: StartsApps):
    """An option that does not exist is refused by its name."""
    with pytest.raises(BadOptionError, match="prot; did you mean port"):
        lambda_app(PUPPET, prot=1)  # type: ignore[call-arg]


def test_no_application(lambda_app: StartsApps):
    """An empty command starts nothing, and is refused."""
    with pytest.raises(BadOptionError, match="no application: name a command, or"):
        lambda_app("")


def test_nothing_is_imported_before_a_fixture_is_used():
    """Pytest's runs without these fixtures load none of the libraries behind them."""
    script = (
        "import sys, lambda_adapter.local.pytest_plugin;"
        "print({'trio', 'httpx', 'msgspec', 'hypercorn'} & set(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"


@pytest.mark.e2e
def test_example():
    """The example's own tests pass, as its README runs them."""
    example = PROJECT / "examples" / "pytest"
    options = ("-q", "-p", "no:cacheprovider")
    bin_folder = Path(sys.executable).parent
    path = f"{bin_folder}:{ENVIRON['PATH']}"

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=example,
        env=ENVIRON | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout


@pytest.mark.e2e
def test_demo():
    """`make demo` shows a request at both ends, and leaves nothing running."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.local.demo"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "POST /echo/caf%C3%A9%20cr%C3%A8me?size=1%2F2&sugar=" in done.stdout
    assert done.stdout.endswith("ended\n\nAll as it should be.\n")


COOKIES = """
def app(environ, start_response):
    cookies = environ.get("HTTP_COOKIE", "")
    if environ["PATH_INFO"] == "/login":
        start_response("302 Found", [
            ("set-cookie", "sid=1; Secure; HttpOnly; Path=/; SameSite=Lax"),
            ("set-cookie", "__Host-csrf=2; Secure; Path=/"),
            ("location", "/home"),
        ])
        return []
    start_response("200 OK", [])
    return [cookies.encode()]
"""


def test_secure_cookies(lambda_app: StartsApps, tmp_path: Path):
    """A login behind HTTPS works: Secure cookies are sent, also after a redirect."""
    (tmp_path / "app.py").write_text(COOKIES)
    app = lambda_app("--wsgi app:app", cwd=str(tmp_path))

    landed = app.get("/login", follow_redirects=True)

    assert set(landed.text.split("; ")) == {"sid=1", "__Host-csrf=2"}
    assert "sid=1" in app.get("/").text
    app.cookies.clear()
    assert app.get("/").text == ""


FAILING = """
import pytest

@pytest.fixture(scope="session")
def shared(lambda_app_factory):
    return lambda_app_factory("--wsgi app:app")

def test_before(shared):
    assert shared.get("/before").status_code == 500

def test_status(shared):
    assert shared.get("/boom").status_code == 200

def test_no_gateway(lambda_app):
    lambda_app("--wsgi app:app", gateway="httpapi")

def test_no_start(lambda_app):
    lambda_app("--wsgi none:app")

def test_last(shared):
    assert shared.last == None
"""

BOOM = """
def app(environ, start_response):
    print("the path is", environ["PATH_INFO"], flush=True)
    raise ValueError("the card was refused")
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says of tests that fail."""
    folder = tmp_path_factory.mktemp("failing")
    (folder / "app.py").write_text(BOOM)
    (folder / "test_it.py").write_text(FAILING)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_it.py"],
        cwd=folder,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "4 failed, 1 passed" in done.stdout, done.stdout
    return done.stdout


def test_report_has_the_log(report: str):
    """The report of a failing test has its own invocations, and what they logged."""
    section = report.partition("Invocations of <LambdaApp --wsgi app:app behind http")[
        2
    ]
    section = section.partition("\n___")[0]

    assert "<Invocation #2 GET /boom, 500" in section
    assert "  the path is /boom" in section
    assert "ValueError: the card was refused" in section
    assert "/before" not in section


def test_report_has_no_insides(report: str):
    """A failed start is reported without a line of the fixtures' own source."""
    assert "did you mean http-api?" in report
    assert "No module named 'none'" in report
    for inside in ("contextlib", "testing.py", "pytest_plugin.py:", "trio/_core"):
        assert inside not in report, report


def test_reference():
    """The reference page has each public attribute of a client and an invocation."""
    page = (PROJECT / "docs" / "reference" / "pytest.md").read_text("utf-8")
    internal = {"add_line", "begin", "drop_pieces", "fail", "finish", "hand", "take"}
    internal |= {
        "client_context",
        "config",
        "delivered",
        "describe_since",
        "handed_at",
        "over",
        "pieces",
    }
    internal |= {"is_hook", "label", "refuse", "replied", "respond", "size", "told"}
    invocation = Invocation(b"{}")
    own = (
        set(vars(LambdaApp))
        | {"page_url"}
        | set(vars(Invocation))
        | set(vars(invocation))
    )

    missing = [
        name
        for name in own - internal
        if not name.startswith("_") and f"`{name}" not in page
    ]
    assert missing == []


def test_keywords():
    """Each keyword of the fixtures is on the reference page."""
    page = (PROJECT / "docs" / "reference" / "pytest.md").read_text("utf-8")

    assert [
        name for name in AppOptions.__annotations__ if f"`{name}`" not in page
    ] == []


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has sandboxes")
def test_in_the_sandbox(lambda_app: StartsApps, tmp_path: Path):
    """A write that Lambda refuses fails in the sandbox, and a line names its file."""
    (tmp_path / "app.py").write_text(
        "def app(environ, start):\n"
        "    start('200 OK', [('Content-Type', 'text/plain')])\n"
        "    if environ['PATH_INFO'] != '/write': return [b'ready']\n"
        "    try: open('cache.db', 'w')\n"
        "    except OSError as error: return [error.strerror.encode()]\n"
    )
    app = lambda_app("--wsgi app:app", cwd=str(tmp_path), sandbox=True, freeze=True)

    assert app.get("/write").text == "Read-only file system"
    (line,) = [line for line in app.last.lines if line.startswith("sandbox  ")]
    assert line.endswith(f"{tmp_path}/cache.db: read-only on Lambda: write to /tmp")

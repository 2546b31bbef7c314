"""Where the requests of a check come from."""

import http.server
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_adapter.local.check.rules.openapi import SourceError
from lambda_adapter.local.check.settings import Target
from lambda_adapter.local.check.sources import is_of_application, read_sources
from tests.local.check.test_command import check
from tests.ports import free_ports

DOCUMENT = b'{"paths": {"/a": {"get": {}}, "/b": {"get": {}}, "/c": {"post": {}}}}'

APP = """
import http.server, os

DOCUMENT = b'{"paths": {"/of-the-document": {"get": {}}}}'
MANY = "".join(f'<a href="/page/{number}">page</a>' for number in range(10_000))
PAGE = f'<a href="/logout">out</a><a href="/item/1/delete">delete</a>{MANY}'.encode()

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        print("asked", self.command, self.path, self.headers, flush=True)
        body = {"/": PAGE, "/schema.json": DOCUMENT}.get(self.path, b"<p>a page</p>")
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_POST = do_HEAD = do_DELETE = do_GET

    def log_message(self, *_):
        pass

address = ("0.0.0.0", int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""
SECRET = "s3cr3t-of-the-archive"
HAR = {
    "log": {
        "entries": [
            {
                "request": {
                    "method": "GET",
                    "url": f"https://user:{SECRET}@shop.example/orders?token={SECRET}",
                    "headers": [
                        {"name": "Authorization", "value": f"Bearer {SECRET}"},
                        {"name": "Cookie", "value": f"session={SECRET}"},
                    ],
                    "cookies": [{"name": "session", "value": SECRET}],
                },
                "response": {"content": {"text": SECRET}},
            }
        ]
    }
}


@pytest.fixture
def document_url() -> Iterator[str]:
    """Serve an OpenAPI document, and give its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/openapi.json" else 404)
            self.end_headers()
            self.wfile.write(DOCUMENT)

        def log_message(self, *_: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_openapi_document_at_a_url(document_url: str):
    """A document is read from a URL as well as from a file."""
    found = read_sources({"openapi": f"{document_url}/openapi.json"})

    assert found == (Target("/a"), Target("/b"))


def test_documents_that_can_not_be_read(document_url: str, tmp_path: Path):
    """Each source that can't be read is named, with the reason."""
    closed = f"http://127.0.0.1:{free_ports(1)[0]}/openapi.json"
    for name, source, said in (
        ("openapi", closed, r"refused.*--openapi /openapi\.json"),
        ("openapi", f"{document_url}/none", "Not Found"),
        ("openapi", "file.json", "file.json: No such file"),
        ("openapi", "https://", "no host given"),
        ("paths", str(tmp_path), "Is a directory"),
        ("har", str(tmp_path / "none"), "No such file"),
    ):
        with pytest.raises(SourceError, match=f"(?s){said}"):
            read_sources({name: source})


def test_a_path_of_the_application(tmp_path: Path):
    """A path that is not a file on this machine is the application's."""
    file = tmp_path / "openapi.json"
    file.write_bytes(DOCUMENT)

    assert is_of_application("/api/openapi.json")
    assert not is_of_application(str(file))
    assert read_sources({"openapi": "/api/openapi.json"}) == ()
    assert len(read_sources({"openapi": str(file)})) == 2


@pytest.mark.e2e  # a whole check
@pytest.mark.timeout(240)
def test_a_crawl(tmp_path: Path):
    """A crawl follows as many links as configured, with GET, and none that may harm."""
    (tmp_path / "app.py").write_text(APP)
    quick = ("--quick", "--crawl", "4", "--openapi", "/schema.json")

    run = check(*quick, "--", sys.executable, "app.py", cwd=tmp_path)

    assert (
        "requested 5 paths; over 993 links not followed, beyond --crawl 4" in run.stdout
    )
    assert "not requested, for their names: /logout, /item/1/delete" in run.stdout
    assert run.returncode == 0, run.stdout


@pytest.mark.e2e  # a whole check
@pytest.mark.timeout(240)
def test_an_archive_with_secrets(tmp_path: Path):
    """No secret of an archive is sent to the application, or is in a report."""
    (tmp_path / "app.py").write_text(APP.replace('{"/":', '{"/orders": PAGE, "/":'))
    (tmp_path / "a.har").write_text(json.dumps(HAR))
    files = [tmp_path / name for name in ("a.json", "a.html", "a.xml")]
    reports = ("--json", files[0], "--html", files[1], "--junit", files[2])

    run = check(
        *("--quick", "--har", "a.har", *reports, "--", sys.executable, "app.py"),
        cwd=tmp_path,
    )

    assert "requested 1 path\n" in run.stdout
    reported = [run.stdout, run.stderr, *(file.read_text() for file in files)]
    assert all(SECRET not in text for text in reported)

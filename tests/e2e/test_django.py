"""The Django example, on gunicorn, behind the zipapp: what its settings are for."""

import gzip
import re
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.adapter import open_adapter
from tests.catalogue import HOST, SQS, http_api
from tests.e2e.applications import built_django
from tests.e2e.conftest import SHIV_ROOT
from tests.emulator import BOOTSTRAP
from tests.fake_runtime_api import INIT_ERROR
from tests.images.events import body_of

GUNICORN = str(Path(sys.executable).with_name("gunicorn"))
ENVIRON = {"SECRET_KEY": "of a test", "DOMAINS": f".{HOST},shop.example", **SHIV_ROOT}
HTTPS = {"host": HOST, "x-forwarded-proto": "https"}
FORM = {**HTTPS, "content-type": "application/x-www-form-urlencoded"}


@asynccontextmanager
async def serve(runtime, **environ):
    """Serve the example as on Lambda."""
    options = ["--no-control-socket", "--chdir", str(built_django())]
    async with open_adapter(
        runtime.address,
        [GUNICORN, *options, "greeter.wsgi"],
        adapter=[str(BOOTSTRAP)],
        **environ,
    ) as adapter:
        yield adapter


async def reply(runtime, *args, **more) -> Any:
    """Return the reply to an HTTP API's event."""
    return (await runtime.invoke(http_api(*args, **more))).json()


def cookies(reply):
    """Return the cookies of a reply as a client sends them back."""
    return [cookie.partition(";")[0] for cookie in reply["cookies"]]


def token(page):
    """Return what the form of the page holds against forged requests."""
    found = re.search('name="csrfmiddlewaretoken" value="(\\w+)"', page["body"])
    assert found
    return found[1]


async def test_form(runtime):
    """A form's POST is accepted with its token, and its session is kept."""
    async with serve(runtime, **ENVIRON):
        page = await reply(runtime, "GET", "/", None, HTTPS)
        body = f"csrfmiddlewaretoken={token(page)}&name=Ada+%26+Bob"
        origin = FORM | {"origin": f"https://{HOST}"}
        posted = await reply(runtime, "POST", "/", body, origin, cookies=cookies(page))
        after = await reply(
            runtime, "GET", "/", None, HTTPS, cookies=cookies(page) + cookies(posted)
        )

    assert (posted["statusCode"], posted["headers"]["Location"]) == (302, "/")
    assert all("Secure" in cookie for cookie in page["cookies"] + posted["cookies"])
    assert "Hello, Ada &amp; Bob!" in after["body"]


ORIGINS = [
    ({"origin": "https://shop.example"}, 302),
    ({"origin": "https://example.org"}, 403),
    ({"origin": f"https://other.{HOST}"}, 403),
    ({}, 403),
    ({"referer": f"https://{HOST}/"}, 302),
]


async def test_origin_of_a_form(runtime):
    """A form is taken from the site's own domains, and from no other site."""
    async with serve(runtime, **ENVIRON):
        page = await reply(runtime, "GET", "/", None, HTTPS)
        body = f"csrfmiddlewaretoken={token(page)}&name=Ada"
        cookie = cookies(page)
        statuses = [
            (await reply(runtime, "POST", "/", body, FORM | fields, cookies=cookie))[
                "statusCode"
            ]
            for fields, _ in ORIGINS
        ]

    assert statuses == [status for _, status in ORIGINS]


async def test_form_without_token(runtime):
    """A form without the token of its cookie is refused."""
    async with serve(runtime, **ENVIRON):
        page = await reply(runtime, "GET", "/", None, HTTPS)
        posted = await reply(
            runtime, "POST", "/", "name=Ada", FORM, cookies=cookies(page)
        )

    assert posted["statusCode"] == 403


async def test_static_files(runtime):
    """The style sheet that a page names is served, compressed, and cached for good."""
    fields = HTTPS | {"accept-encoding": "gzip"}
    async with serve(runtime, **ENVIRON):
        page = await reply(runtime, "GET", "/", None, HTTPS)
        found = re.search('href="(/static/[^"]+)"', page["body"])
        assert found
        sheet = await reply(runtime, "GET", found[1], None, fields)

    source = built_django() / "greeter/static/greeter/style.css"
    assert re.fullmatch(r"/static/greeter/style\.[0-9a-f]{12}\.css", found[1])
    assert sheet["headers"]["Content-Encoding"] == "gzip"
    assert gzip.decompress(body_of(sheet)) == source.read_bytes()
    assert "immutable" in sheet["headers"]["Cache-Control"]


async def test_hosts(runtime):
    """Clients reach the domains that are named, and events reach their handler."""
    async with serve(runtime, **ENVIRON):
        other = await reply(runtime, "GET", "/", None, {"host": "other.example"})
        received = await runtime.invoke(SQS)

    assert other["statusCode"] == 400
    assert received.json() == {"received": SQS}


async def test_large_body(runtime):
    """A body of 4 MB is not too large for Django, whose own limit is 2.5 MB."""
    text = "x" * 4_000_000
    async with serve(runtime, **ENVIRON):
        echoed = await reply(runtime, "POST", "/echo", text, HTTPS)

    assert echoed["statusCode"] == 200


async def test_no_secret_key(runtime):
    """Without a SECRET_KEY, Lambda's init fails, and the log says what to do."""
    environ = {name: ENVIRON[name] for name in ENVIRON if name != "SECRET_KEY"}
    async with serve(runtime, **environ) as adapter:
        await runtime.wait_posted(INIT_ERROR)
        await adapter.wait_log("SECRET_KEY is not set")
        assert await adapter.wait() != 0

"""The examples without images: real servers behind the zipapp, under the emulator.

They need Node.js, Maven with a JDK, nginx, Go, and PHP. Where one of these is missing,
its test is left out, and pytest says so; with CI set, that is a failure.
"""

import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.applications import (
    EXAMPLES,
    built,
    built_django,
    built_expressjs,
    need,
)
from tests.e2e.conftest import SHIV_ROOT
from tests.emulator import BOOTSTRAP, Emulator, free_ports, open_emulator
from tests.images import events

Command = tuple[list[str | Path], Path, dict[str, str]]
"""What starts an application, where, and its environment."""


def gunicorn(port: int, app: str) -> list[str | Path]:
    """Return the command of a WSGI application's server."""
    program = Path(sys.executable).with_name("gunicorn")
    return [program, "--no-control-socket", "--bind", f"127.0.0.1:{port}", app]


def flask(port: int, _: Path) -> Command:
    """Flask on gunicorn, which `make dev` installs."""
    return gunicorn(port, "app:app"), EXAMPLES / "flask", {}


def fastapi(port: int, _: Path) -> Command:
    """FastAPI on uvicorn, which `make dev` installs."""
    uvicorn = Path(sys.executable).with_name("uvicorn")
    return [uvicorn, "--port", str(port), "app:app"], EXAMPLES / "fastapi", {}


def django(port: int, _: Path) -> Command:
    """Django on gunicorn, which `make dev` installs."""
    here = built_django()
    env = {"SECRET_KEY": "of a test", "DOMAINS": events.HOST}
    return gunicorn(port, "greeter.wsgi"), here, env


def expressjs(port: int, _: Path) -> Command:
    """Express.js on Node.js, installed by npm."""
    return ["node", "app.js"], built_expressjs(), {"PORT": str(port)}


def springboot(port: int, _: Path) -> Command:
    """Spring Boot on a JDK, built by Maven."""
    here = built("springboot", ["mvn", "--batch-mode", "--quiet", "package"])
    java = ["java", "-XX:TieredStopAtLevel=1", "-jar", "target/app.jar"]
    return [*java], here, {"SERVER_PORT": str(port)}


def go(port: int, _: Path) -> Command:
    """Go's net/http, built by Go."""
    here = built("go", ["go", "build", "-buildvcs=false", "-o", "app", "."])
    return [here / "app"], here, {"PORT": str(port)}


def php(port: int, _: Path) -> Command:
    """PHP's own server, in place of Apache."""
    need("php")
    server = ["php", "-S", f"127.0.0.1:{port}", "public/index.php"]
    return [*server], EXAMPLES / "php", {}


def nginx(port: int, directory: Path) -> Command:
    """nginx, with its configuration on another port and another root."""
    need("nginx")
    text = (EXAMPLES / "nginx/nginx.conf").read_text()
    for old, new in (
        ("/tmp/", f"{directory}/"),  # first, for these paths may be in /tmp as well
        ("listen 8080;", f"listen {port};"),
        ("root /usr/share/nginx/html;", f"root {EXAMPLES / 'nginx/site'};"),
        ("include mime.types;", "include /etc/nginx/mime.types;"),
    ):
        assert old in text
        text = text.replace(old, new)
    conf = directory / "nginx.conf"
    conf.write_text(text)
    options = ("-e", "stderr", "-g", "daemon off; user root;", "-c", conf)
    return ["nginx", *options], directory, {}


@asynccontextmanager
async def open_application(
    application: Callable[[int, Path], Command], directory: Path
) -> AsyncIterator[Emulator]:
    """Serve an application behind the zipapp under the emulator."""
    (port,) = free_ports(1)
    command, cwd, env = application(port, directory)
    async with open_emulator(
        [BOOTSTRAP, *command],
        cwd=cwd,
        env={"PORT": str(port), "HOME": str(Path.home()), **SHIV_ROOT, **env},
        log_path=directory / "log",
    ) as emulator:
        yield emulator


@pytest.mark.parametrize(
    "application", [django, fastapi, expressjs, springboot, nginx, go, php]
)
async def test_every_kind_of_event_reaches_it(
    tmp_path: Path, application: Callable[[int, Path], Command]
):
    """Method, target, Host, cookies and body arrive, and the response returns."""
    async with open_application(application, tmp_path) as emulator:
        for make in events.SENT.values():
            sent = make()
            reply = await emulator.invoke(json.dumps(sent.event).encode())
            events.check_echo(sent, json.loads(reply))
        hello = json.loads(await emulator.invoke(json.dumps(events.get("/")).encode()))

    assert hello["statusCode"] == 200
    assert b"Hello from " in events.body_of(hello)


@pytest.mark.parametrize(
    "application", [flask, django, fastapi, expressjs, springboot, go, php]
)
async def test_only_events_reach_the_handler_for_events(
    tmp_path: Path, application: Callable[[int, Path], Command]
):
    """An event reaches the handler for events; a client's POST to it is refused."""
    event = {"Records": [{"eventSource": "aws:sqs", "body": "a"}]}
    client = events.http_api().event | {
        "rawPath": "/events",
        "headers": {
            "host": events.HOST,
            "content-type": "application/json",
            "x-amzn-request-context": "null",
        },
        "body": json.dumps(event),
    }

    async with open_application(application, tmp_path) as emulator:
        received = json.loads(await emulator.invoke(json.dumps(event).encode()))
        refused = json.loads(await emulator.invoke(json.dumps(client).encode()))

    assert received == {"received": event}
    assert refused["statusCode"] == 403

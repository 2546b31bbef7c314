"""The examples without images: what starts each of them, and where."""

import shutil
import sys
from pathlib import Path

from tests.e2e.applications import (
    EXAMPLES,
    built,
    built_django,
    built_expressjs,
    built_springboot,
    need,
)
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
    here = built_springboot()
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
    conf = write_nginx_conf(port, directory, directory)
    options = ("-e", "stderr", "-g", "daemon off; user root;", "-c", conf)
    return ["nginx", *options], directory, {}


def nginx_in_tmp(port: int, directory: Path) -> Command:
    """Run nginx as in its image: what it writes is below /tmp."""
    conf = write_nginx_conf(port, directory, Path("/tmp"))
    return ["nginx", "-e", "stderr", "-g", "daemon off;", "-c", conf], directory, {}


def write_nginx_conf(port: int, directory: Path, temporary: Path) -> Path:
    """Write the example's configuration with another port and other places."""
    need("nginx")
    # Beside the configuration: a sandbox shows no other folder that is below /tmp.
    site = shutil.copytree(EXAMPLES / "nginx/site", directory / "site")
    text = (EXAMPLES / "nginx/nginx.conf").read_text()
    for old, new in (
        ("/tmp/", f"{temporary}/"),  # first, for these paths may be in /tmp as well
        ("listen 8080;", f"listen {port};"),
        ("root /usr/share/nginx/html;", f"root {site};"),
        ("include mime.types;", "include /etc/nginx/mime.types;"),
    ):
        assert old in text
        text = text.replace(old, new)
    conf = directory / "nginx.conf"
    conf.write_text(text)
    return conf

"""Servers for tests of late requests, restarts and freezes: the command of each.

Each responds with the number of the process that does it, and a GET /slow takes 30 s.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.applications import BUILT, built_springboot, made_once, need

PROGRAMS = Path(__file__).parents[1] / "programs" / "life"

Command = Sequence[str]
Make = Callable[[int, Path], Command]
"""What makes a server's command of a port and a folder."""


def of_venv(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def php(port: int, _: Path) -> Command:
    """PHP's own server, which has one worker."""
    need("php")
    return ["php", "-S", f"127.0.0.1:{port}", str(PROGRAMS / "app.php")]


def gunicorn(*options: str):
    """Return what serves by gunicorn; its default is one worker, which is blocking."""

    def command(port: int, _: Path) -> Command:
        where = ("--chdir", str(PROGRAMS), "--bind", f"127.0.0.1:{port}")
        server = [of_venv("gunicorn"), "--no-control-socket", "--timeout", "0"]
        return [*server, *where, *options, "life_app:app"]

    return command


def uvicorn(*options: str):
    def command(port: int, _: Path) -> Command:
        where = ("--port", str(port), "--app-dir", str(PROGRAMS), "--lifespan", "off")
        return [of_venv("uvicorn"), *where, *options, "life_asgi:app"]

    return command


def hypercorn(*options: str):
    def command(port: int, _: Path) -> Command:
        server = ["env", f"PYTHONPATH={PROGRAMS}", of_venv("hypercorn"), *options]
        return [*server, "--bind", f"127.0.0.1:{port}", "life_asgi:app"]

    return command


def granian(*options: str):
    def command(port: int, _: Path) -> Command:
        where = ("--port", str(port), "--working-dir", str(PROGRAMS))
        return [of_venv("granian"), *where, *options]

    return command


def uwsgi(*options: str):
    def command(port: int, _: Path) -> Command:
        need("uwsgi")
        where = (f"--http-socket=127.0.0.1:{port}", f"--chdir={PROGRAMS}")
        app = (
            "--plugin=python3",
            "--need-app",
            "--die-on-term",
            "--module=life_app:app",
        )
        return ["uwsgi", *where, *app, *options]

    return command


def puma(*lines: str):
    """Return what serves by Puma, with these lines of settings."""

    def command(port: int, folder: Path) -> Command:
        need("puma")
        bind = f"bind 'tcp://127.0.0.1:{port}'"
        settings = (bind, f"rackup '{PROGRAMS}/config.ru'", *lines)
        (folder / "puma.rb").write_text("\n".join(settings))
        return ["puma", "--config", str(folder / "puma.rb")]

    return command


def tomcat(*attributes: str):
    """Return what serves by the Tomcat in Spring Boot's example.

    The attributes are those of its connector.
    """

    def command(port: int, folder: Path) -> Command:
        need("javac")
        with zipfile.ZipFile(built_springboot() / "target/app.jar") as app:
            jars = [name for name in app.namelist() if name.endswith(".jar")]
            app.extractall(folder, jars)
        path = ":".join(str(folder / jar) for jar in jars)
        java = ["java", "-XX:TieredStopAtLevel=1", f"-Djava.io.tmpdir={folder}"]
        program = ("-cp", path, str(PROGRAMS / "Life.java"))
        return [*java, *program, str(port), *attributes]

    return command


def waitress(threads: int, *options: str):
    def command(port: int, _: Path) -> Command:
        where = (f"--listen=127.0.0.1:{port}", f"--threads={threads}")
        path = f"sys.path.insert(0, {str(PROGRAMS)!r})"
        run = f"import sys; {path}; from waitress.runner import run; run()"
        return [sys.executable, "-c", run, *where, *options, "life_app:app"]

    return command


def node(_: int, __: Path) -> Command:
    """Node.js, on one event loop."""
    need("node")
    return ["node", str(PROGRAMS / "busy.cjs")]


def again(server: Make) -> Make:
    """Return what starts a server in a shell's loop, half a second after each end."""

    def command(port: int, folder: Path) -> Command:
        loop = 'while :; do "$@"; sleep 0.5; done'
        return ["sh", "-c", loop, "loop", *server(port, folder)]

    return command


looped = again(node)


def pm2(_: int, folder: Path) -> Command:
    """Node.js under pm2-runtime."""
    need("npm")

    def install(where: Path) -> None:
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts"]
        npm = ["npm", "install", "--prefix", str(where), *quiet, "pm2@6.0.14"]
        subprocess.run(npm, check=True)

    runtime = str(made_once(BUILT / "pm2", install) / "node_modules/.bin/pm2-runtime")
    home = f"PM2_HOME={folder}/pm2"
    return ["env", home, runtime, "start", str(PROGRAMS / "busy.cjs")]


def apache(port: int, folder: Path) -> Command:
    """Apache, which closes connections that are idle for a second."""
    need("apache2")
    modules = "".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
        for name in ("mpm_event", "authz_core", "alias", "rewrite")
    )
    (folder / "apache.conf").write_text(
        f"{modules}ServerRoot {folder}\nPidFile {folder}/pid\nListen 127.0.0.1:{port}\n"
        "ServerName localhost\nKeepAliveTimeout 1\nErrorLog /dev/stderr\n"
        "RewriteEngine on\nRewriteRule .* - [R=204,L]\n"
    )
    return ["apache2", "-f", str(folder / "apache.conf"), "-D", "FOREGROUND"]


def nginx(*lines: str):
    """Return nginx before PHP-FPM with one child, and with these lines of its pool."""

    def command(port: int, folder: Path) -> Command:
        need("nginx")
        fpm = _write_fpm(folder, lines)
        _write_nginx(port, folder)
        start = f"{fpm} {'-R' if not os.getuid() else ''} -y {folder}/fpm.conf &"
        wait = f"until test -S {folder}/fpm.sock; do sleep 0.01; done"
        serve = f"{wait}; exec nginx -e stderr -c {folder}/nginx.conf"
        return ["sh", "-c", f"rm -f {folder}/fpm.sock; {start} {serve}"]

    return command


def _write_fpm(folder: Path, lines: Sequence[str]) -> str:
    """Configure PHP-FPM; return its command."""
    fpm = next(
        (name for name in ("php-fpm", *map("php-fpm{}".format, FPMS)) if which(name)),
        "php-fpm",
    )
    need(fpm)
    user = "user = root\ngroup = root\n" if os.getuid() == 0 else ""
    (folder / "fpm.conf").write_text(
        f"[global]\nerror_log = /dev/stderr\ndaemonize = no\n"
        f"[www]\n{user}listen = {folder}/fpm.sock\npm = static\npm.max_children = 1\n"
        + "\n".join(lines)
    )
    return fpm


def _write_nginx(port: int, folder: Path) -> None:
    (folder / "nginx.conf").write_text(
        f"pid {folder}/nginx.pid; error_log stderr; daemon off; worker_processes 1;\n"
        + ("user root;\n" if os.getuid() == 0 else "")
        + "events {}\nhttp { access_log off; keepalive_timeout 1;\n"
        + "".join(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"server {{ listen 127.0.0.1:{port};\nlocation / {{\n"
        f"fastcgi_pass unix:{folder}/fpm.sock;\n"
        f"fastcgi_param SCRIPT_FILENAME {PROGRAMS}/app.php;\n"
        "fastcgi_param REQUEST_METHOD $request_method;\n"
        "fastcgi_param REQUEST_URI $request_uri; } } }\n"
    )


FPMS = ("8.2", "8.3", "8.4", "8.1")


def which(name: str) -> str | None:
    return shutil.which(name)


SECOND = {"KEEP_ALIVE": "1000"}
PUMA = ("persistent_timeout 1", "worker_check_interval 1")
SERVERS = {
    "gunicorn": (gunicorn(), 2),
    "gunicorn, threads": (gunicorn("--threads", "2"), 2),
    "gunicorn, threads, 1 s": (gunicorn("--threads", "2", "--keep-alive", "1"), 1),
    "gunicorn, gevent": (gunicorn("--worker-class", "gevent"), 2),
    "uvicorn": (uvicorn("--timeout-keep-alive", "1"), 1),
    "uvicorn, workers": (
        uvicorn("--workers", "2", "--timeout-worker-healthcheck", "86400"),
        2,
    ),
    "hypercorn": (hypercorn("--keep-alive", "1"), 1),
    "waitress": (waitress(2, "--channel-timeout=1", "--cleanup-interval=1"), 2),
    "Granian": (granian("--interface", "asgi", "life_asgi:app"), 2),
    "uWSGI": (uwsgi("--master", "--harakiri=3"), 4),
    "nginx and PHP-FPM": (nginx("request_terminate_timeout = 1s"), 2),
    "Puma": (puma("workers 0", *PUMA), 1),
    "Puma, cluster": (puma("workers 2", "worker_timeout 86400", *PUMA), 2),
    "node": (node, 1),
    "Apache": (apache, 1),
    "Tomcat": (tomcat("keepAliveTimeout=1000"), 1),
    "php -S": (php, 1),
}
"""Servers, and for how many seconds they are frozen: longer than their timers, which
are scaled down, but to what a busy machine needs to respond."""


def of(cases: Mapping[str, Any]) -> list[Any]:
    """Return the parameters of a table: of each row, what is beside its name."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), id=name)
        for name, case in cases.items()
    ]

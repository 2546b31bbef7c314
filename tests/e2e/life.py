"""Real servers behind the adapter, and the freezing of all of them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from tests.adapter import Adapter, children, free_port, open_adapter
from tests.catalogue import function_url
from tests.e2e.applications import need
from tests.emulator import PROJECT
from tests.fake_runtime_api import FakeRuntimeApi

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


def waitress(threads: int):
    def command(port: int, _: Path) -> Command:
        where = (f"--listen=127.0.0.1:{port}", f"--threads={threads}")
        path = f"sys.path.insert(0, {str(PROGRAMS)!r})"
        run = f"import sys; {path}; from waitress.runner import run; run()"
        return [sys.executable, "-c", run, *where, "life_app:app"]

    return command


def node(_: int, __: Path) -> Command:
    """Node.js, on one event loop."""
    need("node")
    return ["node", str(PROGRAMS / "busy.cjs")]


def looped(_: int, __: Path) -> Command:
    """Node.js in a shell's loop, which starts it again after half a second."""
    need("node")
    return ["sh", "-c", f"while :; do node {PROGRAMS}/busy.cjs; sleep 0.5; done"]


def pm2(_: int, folder: Path) -> Command:
    """Node.js under pm2-runtime."""
    need("npm")
    where = PROJECT / ".cache" / "applications" / "pm2"
    if not (where / "node_modules/.bin/pm2-runtime").exists():
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts"]
        install = ["npm", "install", "--prefix", str(where), *quiet, "pm2@6.0.14"]
        subprocess.run(install, check=True)
    runtime = str(where / "node_modules/.bin/pm2-runtime")
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


def nginx(port: int, folder: Path) -> Command:
    """Return nginx before PHP-FPM with one child."""
    need("nginx")
    fpm = next(
        (name for name in ("php-fpm", *map("php-fpm{}".format, FPMS)) if which(name)),
        "php-fpm",
    )
    need(fpm)
    user = "user = root\ngroup = root\n" if os.getuid() == 0 else ""
    (folder / "fpm.conf").write_text(
        f"[global]\nerror_log = /dev/stderr\ndaemonize = no\n"
        f"[www]\n{user}listen = {folder}/fpm.sock\npm = static\npm.max_children = 1\n"
    )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/nginx.pid; error_log stderr; daemon off; worker_processes 1;\n"
        + ("user root;\n" if os.getuid() == 0 else "")
        + "events {}\nhttp { access_log off;\n"
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
    start = f"{fpm} {'-R' if not os.getuid() else ''} -y {folder}/fpm.conf &"
    return ["sh", "-c", f"{start} exec nginx -e stderr -c {folder}/nginx.conf"]


FPMS = ("8.2", "8.3", "8.4", "8.1")


def which(name: str) -> str | None:
    return shutil.which(name)


def in_seconds(seconds: float) -> str:
    """Return a deadline."""
    return str(int((time.time() + seconds) * 1000))


async def get(
    runtime: FakeRuntimeApi, path: str, seconds: float = 15, method: str = "GET"
) -> tuple[int, str]:
    """Invoke with so many seconds to the deadline; return status and body."""
    event = function_url(method, path)
    posted = await runtime.invoke(event, lambda_runtime_deadline_ms=in_seconds(seconds))
    if posted.is_stream:
        return int(str(posted.prelude()["statusCode"])), posted.content().decode()
    reply = posted.json()
    return int(str(reply["statusCode"])), str(reply["body"])


@asynccontextmanager
async def open_life(
    runtime: FakeRuntimeApi, folder: Path, command: Make, **environ: str
) -> AsyncIterator[Adapter]:
    """Serve by a server, and wait until it is ready."""
    port = free_port()
    argv = command(port, folder)
    settings: dict[str, Any] = environ
    async with open_adapter(runtime.address, argv, port=port, **settings) as adapter:
        await adapter.wait_log("the application is ready")
        yield adapter


def tree(pid: int) -> list[int]:
    """Return the pids of a process and of all its descendants."""
    found = [pid]
    for parent in found:
        try:
            found += children(parent)
        except OSError:  # it has just ended
            continue
    return found


def signal_all(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


async def freeze(adapter: Adapter, seconds: float) -> None:
    """Stop the adapter and all that it started for a time, as Lambda does."""
    pids = tree(adapter.process.pid)
    signal_all(pids, signal.SIGSTOP)
    try:
        await trio.sleep(seconds)
    finally:
        signal_all(pids, signal.SIGCONT)

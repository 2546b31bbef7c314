"""What is in the zoo: what each application has, and what a check has to find first."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

APPS = Path(__file__).parent / "apps"
EXAMPLES = Path(__file__).parents[2] / "examples"
BIN = Path(sys.executable).parent


class Specimen(msgspec.Struct, frozen=True):
    """An application of the zoo."""

    name: str
    kinds: tuple[str, ...]
    """The kinds of finding of which one has to be the first; none for a healthy one."""
    command: tuple[str, ...]
    folder: Path = APPS
    """Copied, so that nothing is left in it."""
    needs: str = ""
    """The program without which it is left out."""
    environ: dict[str, str] = {}
    paths: tuple[str, ...] = ()

    build: tuple[str, ...] = ()
    """What makes the program. Specimens of one folder have one build."""

    @property
    def is_here(self) -> bool:
        """Whether what it needs is installed."""
        needed = (self.needs, *self.build[:1])
        return all(not each or shutil.which(each) is not None for each in needed)


def python(name: str, *kinds: str) -> Specimen:
    return Specimen(name, kinds, (sys.executable, f"{name}.py"))


def gunicorn(name: str, app: str, *kinds: str, options: tuple[str, ...]) -> Specimen:
    server = str(BIN / "gunicorn")
    return Specimen(name, kinds, (server, "--no-control-socket", *options, app))


def node(name: str, *kinds: str) -> Specimen:
    return Specimen(name, kinds, ("node", f"{name}.cjs"), needs="node")


def go(defect: str, *kinds: str) -> Specimen:
    build = ("go", "build", "-o", "zoo", "main.go")
    command = ("./zoo", defect)
    return Specimen(f"go_{defect}", kinds, command, APPS / "go", build=build)


def java(defect: str, *kinds: str) -> Specimen:
    name = f"java_{defect.replace('-', '_')}"
    build = ("javac", "Zoo.java")
    return Specimen(name, kinds, ("java", "Zoo", defect), APPS / "java", build=build)


def nginx(name: str, *kinds: str) -> Specimen:
    command = (
        f"sed s/8080/$PORT/ {name}.conf > /tmp/nginx.conf;"
        " exec nginx -p . -e stderr -c /tmp/nginx.conf -g 'daemon off;'"
    )
    words = ("sh", "-c", command)
    return Specimen(f"nginx_{name}", kinds, words, APPS / "nginx", needs="nginx")


def uvicorn(name: str, *kinds: str) -> Specimen:
    command = f"exec {BIN}/uvicorn --host 0.0.0.0 --port $PORT {name}:app"
    return Specimen(name, kinds, ("sh", "-c", command))


def php(name: str, *kinds: str, workers: int) -> Specimen:
    command = f"PHP_CLI_SERVER_WORKERS={workers} exec php -S 127.0.0.1:$PORT {name}.php"
    return Specimen(name, kinds, ("sh", "-c", command), needs="php")


THREADS = ("--threads", "4", "--timeout", "0")

DEFECTIVE = (
    python("disk_sqlite", "disk"),
    python("disk_log_file", "disk"),
    python("disk_cache_swallowed", "disk"),
    node("disk_upload", "disk"),
    python("home_cache", "home"),
    python("shm_lock", "shared-memory"),
    python("shm_pool", "shared-memory"),
    python("closed_file", "permissions"),
    python("privileges", "privileges"),
    python("tmp_full", "tmp"),
    python("tmp_leak", "tmp-leak", "tmp"),
    python("memory_start", "memory"),
    python("memory_request", "memory"),
    python("memory_leak", "leak"),
    node("memory_leak_node", "leak"),
    python("descriptor_leak", "descriptor-leak"),
    python("descriptors", "descriptors"),
    python("thread_leak", "thread-leak"),
    python("processes_left", "thread-leak"),
    python("threads_many", "processes"),
    python("start_cpu", "start-time"),
    python("start_waits", "start-time"),
    python("start_crash", "start"),
    python("background", "start"),
    python("outside_start", "outside"),
    python("waits_for_service", "outside"),
    python("port_ignored", "port"),
    node("port_ignored_node", "port"),
    python("port_random", "port"),
    python("port_reserved", "reserved-port"),
    python("address_other", "address"),
    python("readiness_503", "readiness"),
    python("readiness_404", "readiness"),
    python("readiness_slow", "readiness"),
    python("redirect_localhost", "redirect"),
    python("redirect_scheme", "redirect"),
    python("link_localhost", "link"),
    python("cookie_domain", "cookie"),
    python("cookie_path", "cookie"),
    python("response_large", "response-size"),
    python("response_headers", "response-headers"),
    python("binary_image", "binary"),
    python("stream_sse", "streaming"),
    node("websocket_node", "websocket"),
    python("headers_small", "request-headers"),
    python("late_one_worker", "late-request"),
    gunicorn("gunicorn_timeout", "wsgi:app", "thaw", options=("--threads", "4")),
    python("watchdog_thaw", "thaw"),
    python("crash_request", "crash"),
    gunicorn("worker_ends", "worker_ends:app", "crash", options=THREADS),
    python("worker_not_replaced", "worker"),
    python("idle_cpu", "idle-cpu"),
    python("timers", "timers"),
    node("timers_node", "timers"),
    python("connection_kept", "connections"),
    python("sigterm_ignored", "sigterm"),
    Specimen(
        "one_worker_php",
        ("one-worker",),
        ("sh", "-c", "exec php -S 127.0.0.1:$PORT one_worker.php"),
        needs="php",
    ),
    php("session", "disk", workers=4),
    python("unix_socket", "address"),
    gunicorn("host_refused", "host_refused:app", "host", options=THREADS),
    gunicorn("wsgi_connects", "wsgi_connects:app", "outside", options=THREADS),
    gunicorn("wsgi_waits", "wsgi_waits:app", "start-time", options=THREADS),
    gunicorn(
        "gunicorn_shm",
        "wsgi:app",
        "shared-memory",
        options=("--worker-tmp-dir", "/dev/shm", *THREADS),
    ),
    python("timer_threads", "timers"),
    uvicorn("loop_timer", "timers"),
    python("loop_timer_alone", "timers"),
    node("worker_not_replaced_node", "worker"),
    node("content_length_node", "request-failure"),
    node("websocket_named_node", "websocket"),
    node("work_after_node", "idle-cpu"),
    go("ticker", "timers"),
    go("files", "descriptor-leak"),
    go("fatal", "crash"),
    go("endless", "streaming"),
    go("large", "response-size"),
    java("file", "disk"),
    java("heap", "leak", "memory"),
    java("address", "address"),
    java("one-thread", "late-request"),
    java("scheduled", "timers"),
    nginx("log", "disk"),
    nginx("body", "disk"),
    nginx("redirect", "redirect"),
)

DJANGO = {"SECRET_KEY": "a" * 50, "DOMAINS": "*"}
STREAMED = {"AWS_LWA_INVOKE_MODE": "response_stream"}


def example(
    name: str,
    *command: str,
    needs: str = "",
    environ: dict[str, str] | None = None,
    build: tuple[str, ...] = (),
) -> Specimen:
    """Return one of the project's own examples, which is healthy."""
    words = tuple(str(BIN / w) if w in ("gunicorn", "uvicorn") else w for w in command)
    quiet = {"PYTHONDONTWRITEBYTECODE": "1"} | (environ or {})
    return Specimen(name, (), words, EXAMPLES / name, needs, quiet, build=build)


GUNICORN = ("gunicorn", "--no-control-socket", "--threads", "4", "--timeout", "0")
UVICORN = ("sh", "-c", f"exec {BIN}/uvicorn --host 0.0.0.0 --port $PORT app:app")

PHP = "PHP_CLI_SERVER_WORKERS=4 exec php -S 127.0.0.1:$PORT -t public"

HEALTHY = (
    example("flask", *GUNICORN, "app:app"),
    example("events", *GUNICORN, "app:app"),
    example("fastapi", *UVICORN, environ=STREAMED),
    example("sse", *UVICORN, environ=STREAMED),
    example("mcp", *UVICORN, environ=STREAMED),
    example("pytest", *GUNICORN, "app:app"),
    example("django", *GUNICORN, "greeter.wsgi", environ=DJANGO),
    example("php", "sh", "-c", PHP, needs="php"),
    example("expressjs", "node", "app.js", build=("npm", "ci", "--no-audit")),
    go("healthy"),
    java("healthy"),
    nginx("healthy"),
    node("healthy_node"),
    python("needs_agent"),
    Specimen(
        "gunicorn_file",
        (),
        (str(BIN / "gunicorn"), "--no-control-socket", "app:app"),
        APPS / "gunicorn_file",
    ),
)


def build(specimen: Specimen, folder: Path) -> Path:
    """Build an application's program in a copy, and return where the copy is."""
    target = folder / "built" / specimen.folder.name
    ignore = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(specimen.folder, target, ignore=ignore)
    subprocess.run(specimen.build, cwd=target, check=True, capture_output=True)
    return target


def copy(specimen: Specimen, source: Path, folder: Path) -> Path:
    """Copy an application, and return where it is; one file of it is closed."""
    target = folder / specimen.name
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source, target, ignore=ignore, symlinks=True)
    if specimen.name == "closed_file":
        secret = target / "secret.ini"
        secret.write_text("[secret]\n")
        secret.chmod(0o600)
    if specimen.name == "django":
        collect = [sys.executable, "manage.py", "collectstatic", "--no-input"]
        environ = os.environ | specimen.environ
        subprocess.run(
            collect, cwd=target, env=environ, check=True, capture_output=True
        )
    return target

"""The tests of requests, a real client, through every gateway: `make clients`.

They ask httpbin, first directly, then behind each gateway of the local Lambda. A test
that fails behind a gateway alone has to be in LIMITS, with the limit that it meets.
"""

import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from lambda_adapter.local.gateways import GATEWAYS
from lambda_adapter.local.testing import open_app
from tests.ports import free_ports

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".cache" / "clients"
PYTHON = CACHE / "venv" / "bin" / "python"
REQUIREMENTS = HERE / "requirements.txt"
SUITE = "tests/test_requests.py"
SERVER = ("-m", "gunicorn", "--no-control-socket", "--threads", "4", "httpbin:app")
TIME_LIMIT = 300

RENAMED = "REST APIs rename WWW-Authenticate to x-amzn-Remapped-WWW-Authenticate"
TEXT = "REST APIs without binary media types hand on base64"
DIGEST = "TestRequests::test_DIGEST"
WITHOUT_HTTPBIN = (
    f"--deselect={SUITE}::TestTimeout::test_connect_timeout",
    f"--deselect={SUITE}::TestTimeout::test_total_timeout_connect",
)
"""Tests that ask no httpbin, but a network that drops what is sent."""

LIMITS: Mapping[str, Mapping[str, str]] = {
    "rest-api": {
        f"{DIGEST}_HTTP_200_OK_GET": RENAMED,
        f"{DIGEST}_AUTH_RETURNS_COOKIE": RENAMED,
        f"{DIGEST}_STREAM": RENAMED,
        f"{DIGEST}AUTH_QUOTES_QOP_VALUE": RENAMED,
        "TestRequests::test_decompress_gzip": TEXT,
    },
}
"""Tests that fail behind a gateway, and why."""


def main() -> int:
    """Run them all, and return 1 if a failure is not explained, or no longer there."""
    suite = fetch()
    command = [str(PYTHON), *SERVER]
    direct = run_directly(suite, command)
    print(f"{'directly':16} {len(direct)} failures")
    wrong = 0
    for name in GATEWAYS:
        with open_app(command, event=name, environments=4) as app:
            found = run(suite, str(app.base_url).rstrip("/")) - direct
            asked = len(app.invocations)
        limits = LIMITS.get(name, {})
        print(f"{name:16} {len(found)} failures")
        for test in sorted(found | limits.keys()):
            state = limits.get(test, "UNEXPLAINED") if test in found else "PASSES NOW"
            print(f"  {test}: {state}")
        wrong += found != limits.keys() or not asked
    return 1 if wrong else 0


def fetch() -> Path:
    """Return the folder of requests' sources, with an environment for its tests."""
    (version,) = re.findall(r"^requests==(.+)$", REQUIREMENTS.read_text(), re.MULTILINE)
    folder = CACHE / f"requests-{version}"
    if not folder.exists():
        uv = (sys.executable, "-m", "uv", "--quiet")
        pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
        subprocess.run([*uv, "venv", "--clear", CACHE / "venv"], check=True)
        install = ("pip", "install", "--python", PYTHON, "--requirement", REQUIREMENTS)
        subprocess.run([*uv, *install], check=True)
        source = ("--no-deps", "--no-binary", ":all:", f"requests=={version}")
        subprocess.run([*pip, "download", "--dest", CACHE, *source], check=True)
        with tarfile.open(CACHE / f"requests-{version}.tar.gz") as archive:
            archive.extractall(CACHE, filter="data")
    return folder


def run_directly(suite: Path, command: list[str]) -> set[str]:
    """Return what fails without a gateway."""
    (port,) = free_ports(1)
    with ExitStack() as stack:
        server = subprocess.Popen(
            command,
            env={**os.environ, "PORT": str(port)},
            stderr=subprocess.PIPE,
            text=True,
        )
        stack.enter_context(server)
        stack.callback(server.terminate)
        assert server.stderr
        while "Booting worker" not in server.stderr.readline():
            pass
        return run(suite, f"http://127.0.0.1:{port}")


def run(suite: Path, url: str) -> set[str]:
    """Return which tests fail with httpbin at a URL.

    Raises:
        SystemExit: They can't be run.
    """
    plugins = ("-p", "no:httpbin", "-p", "no:cacheprovider", "-p", "tests_at_httpbin")
    paths = CACHE / "plugin"
    paths.mkdir(exist_ok=True)
    (paths / "tests_at_httpbin.py").write_bytes((HERE / "plugin.py").read_bytes())
    done = subprocess.run(
        [
            PYTHON,
            "-m",
            "pytest",
            "-q",
            "-rfE",
            "--tb=no",
            *plugins,
            *WITHOUT_HTTPBIN,
            SUITE,
        ],
        cwd=suite,
        env={**os.environ, "HTTPBIN": url, "PYTHONPATH": str(paths)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )
    if done.returncode not in {0, 1} or " passed" not in done.stdout:
        raise SystemExit(f"requests' tests can't be run:\n{done.stdout}")
    pattern = rf"^(?:FAILED|ERROR) {SUITE}::(\S+)"
    return set(re.findall(pattern, done.stdout, re.MULTILINE))


if __name__ == "__main__":
    sys.exit(main())

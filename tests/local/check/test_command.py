"""``lambda-adapter local check``, as it is typed."""

import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest

from lambda_adapter.local import processes
from tests.processes import Process

ADAPTER = (sys.executable, "-m", "lambda_adapter", "local", "check")
APPS = Path(__file__).parents[2] / "zoo/apps"

pytestmark = pytest.mark.timeout(240)


def check(*words: str | Path, cwd: Path = APPS) -> subprocess.CompletedProcess[str]:
    """Check an application, and return what was printed."""
    return subprocess.run(
        [*ADAPTER, *words], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.usefixtures("unmeasured")
def test_a_failure(tmp_path: Path):
    """A failure is the exit status, the first finding, and in each report."""
    files = {name: tmp_path / name for name in ("a.json", "a.xml", "a.html")}
    reports = ("--json", files["a.json"], "--junit", files["a.xml"], "--html")

    run = check(
        *("--quick", *reports, files["a.html"], "--", sys.executable, "shm_lock.py")
    )

    assert run.returncode == 1, run.stderr
    assert run.stdout.startswith("It would not run on Lambda as it is: ")
    document = msgspec.json.decode(files["a.json"].read_bytes())
    assert document["findings"][0]["kind"] == "shared-memory"
    assert "shared-memory" in files["a.xml"].read_text()
    assert "shared-memory" in files["a.html"].read_text()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--", "no-such-command"], 1, "no-such-command"),
        ([], 64, "Missing argument"),
        (["--gateway", "carrier-pigeon", "--", "true"], 64, "no gateway"),
        (["--har", __file__, "--", "true"], 64, "not a HAR"),
        (["--openapi", __file__, "--", "true"], 64, "not an OpenAPI document"),
        (["--quik", "--", "true"], 64, "--quick"),
    ],
)
def test_mistakes(words: list[str], status: int, said: str):
    """A mistake is a line that names it, and nothing is started."""
    run = check(*words)

    assert run.returncode == status
    assert said in run.stderr + run.stdout
    assert "Traceback" not in run.stderr


def test_interrupt(tmp_path: Path):
    """Ctrl-C prints what is known so far, and leaves no process behind."""
    (tmp_path / "app.py").write_text("import signal\nwhile True: signal.pause()\n")
    with Process(
        [*ADAPTER, "--", sys.executable, "app.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        running = psutil.Process(process.pid)
        while not any("app.py" in _words(each)[1:2] for each in _below(running)):
            pass
        tree = _below(running)

        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 130
    assert output.startswith("not finished: ")
    assert processes.wait_ended(tree, 10) == []


def _words(process: psutil.Process) -> list[str]:
    """Return the command line of a process, empty once it has ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _below(process: psutil.Process) -> list[psutil.Process]:
    """Return a process's descendants that are no zombies."""
    return [each for each in process.children(recursive=True) if _runs(each)]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

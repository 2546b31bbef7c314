"""The fixture `lambda_microvm`: what it refuses, and what a failed test reports."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambda_adapter.local.pytest_plugin import StartsApps, StartsMicroVMs
from lambda_adapter.local.read_options import BadOptionError
from tests.adapter import ENVIRON
from tests.microvm.lambda_side import UVICORN

FAILING = f"""
COMMAND = {" ".join(["exec", *UVICORN, "--port", "$PORT"])!r}

def test_it(lambda_microvm):
    app = lambda_microvm(["sh", "-c", COMMAND])
    app.suspend()
    assert app.state == "running"
"""


def test_an_unknown_option(lambda_microvm: StartsMicroVMs):
    """An option that does not exist is refused by its name."""
    with pytest.raises(BadOptionError, match="paylod; did you mean payload"):
        lambda_microvm("true", paylod="x")  # type: ignore[call-arg]


def test_a_payload_that_is_too_long(lambda_microvm: StartsMicroVMs):
    """A payload that Lambda would not take is refused."""
    with pytest.raises(BadOptionError, match="for `payload`"):
        lambda_microvm("true", payload="x" * 16_385)


def test_the_fixture_for_functions(lambda_app: StartsApps):
    """The fixture for functions names the one for MicroVMs."""
    with pytest.raises(BadOptionError, match="use the fixture lambda_microvm"):
        lambda_app("true", microvm=True)  # type: ignore[call-arg]


def test_the_report_of_a_failed_test(tmp_path: Path):
    """A test that fails reports the hooks that were called."""
    (tmp_path / "test_it.py").write_text(FAILING)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "Invocations of <MicroVMApp sh -c" in done.stdout
    assert "<Invocation #4 suspend, 200" in done.stdout

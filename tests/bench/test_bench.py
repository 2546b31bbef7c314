"""The benchmarks run. How fast anything is, is no matter of tests."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    not shutil.which("cc"), reason="the trivial application is compiled"
)


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


BRIEFLY = ("--rounds", "2", "--invocations", "5", "--cores", "1")


@pytest.fixture(scope="module")
def timed(tmp_path_factory):
    """What the benchmark of invocations prints, and the file of its results."""
    file = tmp_path_factory.mktemp("bench") / "invoke.json"
    run = bench("invoke", "--subject", "ours", *BRIEFLY, "--json", file)
    assert run.returncode == 0, run.stderr
    return run.stdout, file


def test_invocations_are_timed(timed):
    """A round is a number for each metric; the JSON says whose, and where it ran."""
    output, file = timed

    results = json.loads(file.read_bytes())
    assert {each["metric"]: len(each["rounds"]) for each in results["series"]} == {
        "p50": 2,
        "p90": 2,
        "p99": 2,
        "turn-around p50": 2,
    }
    assert {each["subject"] for each in results["series"]} == {"ours"}
    assert results["machine"]["cpu"]
    assert "An invocation" in output


def test_cold_starts_are_timed(tmp_path):
    """A start is timed in its order: the application, the adapter, the first reply."""
    file = tmp_path / "cold-start.json"

    run = bench(
        *("cold-start", "--subject", "ours", "--app", "trivial", *BRIEFLY),
        *("--json", file),
    )

    assert run.returncode == 0, run.stderr
    ours = {
        each["metric"]: each["rounds"][0]
        for each in json.loads(file.read_bytes())["series"]
        if each["subject"] == "ours"
    }
    order = ["to the application's exec", "to /next", "to the reply"]
    assert sorted(order, key=ours.__getitem__) == order


def test_a_missing_subject_is_named(tmp_path):
    """What can't be had here is in the table, and why; the others are run."""
    file = tmp_path / "invoke.json"

    run = bench(
        *("invoke", "--subject", "LWA", "--subject", "bare", *BRIEFLY),
        *("--peer", tmp_path / "nothing", "--json", file),
    )

    assert run.returncode == 0, run.stderr
    results = json.loads(file.read_bytes())
    assert [each["subject"] for each in results["missing"]] == ["LWA"]
    assert {each["subject"] for each in results["series"]} == {"bare"}
    assert "LWA: missing" in run.stdout


def test_results_are_drawn(timed, tmp_path):
    """Pictures are made of the JSON, without measuring again."""
    run = bench("plot", timed[1], "--output", tmp_path)

    assert run.returncode == 0, run.stderr
    assert "<svg" in (tmp_path / "invoke.svg").read_text()

"""The benchmarks run. No test asserts a time."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

needs_compiler = pytest.mark.skipif(
    not shutil.which("cc"), reason="the trivial application is compiled"
)


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


BRIEFLY = ("--rounds", "2", "--invocations", "5", "--cores", "1", "--subject", "ours")


@needs_compiler
def test_invocations_are_timed(tmp_path):
    """A round is a number for each metric; the file says whose, and where it ran."""
    file = tmp_path / "invoke.jsonl"

    run = bench("invoke", *BRIEFLY, "--json", file)

    assert run.returncode == 0, run.stderr
    origin, *series = map(json.loads, file.read_text().splitlines())
    metrics = ["p50", "p90", "p99", "turn-around p50"]
    rounds = {(each["case"], each["metric"]): each["rounds"] for each in series}
    cases = "same event", "varied events"
    assert [*rounds] == [(case, metric) for case in cases for metric in metrics]
    assert {len(each) for each in rounds.values()} == {2}
    assert {each["subject"] for each in series} == {"ours"}
    assert origin["machine"]
    assert run.stdout.startswith("invoke  same event")


@needs_compiler
def test_cold_starts_are_timed(tmp_path):
    """A start is timed in its order: the application, the adapter, the first reply."""
    file = tmp_path / "cold-start.jsonl"

    run = bench("cold-start", *BRIEFLY, "--rounds", "1", "--json", file)

    assert run.returncode == 0, run.stderr
    _, *series = map(json.loads, file.read_text().splitlines())
    trivial = [each for each in series if each["case"] == "trivial"]
    ours = {each["metric"]: each["rounds"][0] for each in trivial}
    order = ["to the application's exec", "to /next", "to the reply"]
    assert sorted(order, key=ours.__getitem__) == order


@needs_compiler
def test_what_a_start_reads_is_counted(tmp_path):
    """A start opens files, and has pages of no more files than it has opened."""
    if not shutil.which("strace") and not os.environ.get("CI"):
        pytest.skip("strace is not installed")
    file = tmp_path / "start.jsonl"

    run = bench("start", *BRIEFLY, "--rounds", "1", "--json", file)

    assert run.returncode == 0, run.stderr
    _, *series = map(json.loads, file.read_text().splitlines())
    ours = {each["metric"]: each["rounds"][0] for each in series}
    assert 0 < ours["files with pages"] <= ours["files opened"]
    assert ours["pieces of 512 KiB"] >= ours["files with pages"]
    assert ours["page-cold, to the reply"] > 0


@needs_compiler
def test_applications_in_process(tmp_path):
    """A subject runs its kind of applications, and asks for events before a reply."""
    file = tmp_path / "in-process.jsonl"
    subjects = "--subject", "asyncio", "--subject", "thread"

    run = bench(
        *("in-process", "--rounds", "1", "--invocations", "5", "--cores", "1"),
        *(*subjects, "--json", file),
    )

    assert run.returncode == 0, run.stderr
    _, *series = map(json.loads, file.read_text().splitlines())
    assert {(each["case"], each["subject"]) for each in series} == {
        ("plain ASGI", "asyncio"),
        ("FastAPI", "asyncio"),
        ("Flask", "thread"),
    }
    assert all(number > 0 for each in series for number in each["rounds"])
    rounds = {(each["case"], each["metric"]): each["rounds"] for each in series}
    for case in "plain ASGI", "FastAPI", "Flask":
        assert rounds[case, "cold start to /next"] < rounds[case, "cold start"]


@needs_compiler
@pytest.mark.parametrize("measurement", ["growth", "memory", "codec", "stream"])
def test_it_runs(tmp_path, measurement):
    """Each measurement finds positive numbers."""
    file = tmp_path / "found.jsonl"

    once = "--rounds", "1", "--invocations", "1"
    run = bench(measurement, *BRIEFLY, *once, "--json", file)

    assert run.returncode == 0, run.stderr
    _, *series = map(json.loads, file.read_text().splitlines())
    assert all(number > 0 for each in series for number in each["rounds"])


@needs_compiler
def test_memory_of_sixteen_slots(tmp_path):
    """With 16 concurrent invocations, the memory of all processes is measured."""
    file = tmp_path / "memory.jsonl"
    subjects = "--subject", "ours", "--subject", "asyncio"

    run = bench(
        "memory", "--rounds", "1", "--invocations", "1", *subjects, "--json", file
    )

    assert run.returncode == 0, run.stderr
    _, *series = map(json.loads, file.read_text().splitlines())
    found = {
        (each["case"], each["metric"], each["subject"]): each["rounds"][0]
        for each in series
    }
    plain, loaded = "FastAPI, 16 at once", "FastAPI with 50 MB, 16 at once"
    for case in plain, loaded:
        assert found[case, "processes", "asyncio"] == 1
        assert found[case, "processes", "ours"] == 2
        for subject in "ours", "asyncio":
            pss, rss = (found[case, metric, subject] for metric in ("PSS", "RSS"))
            assert pss <= rss
    more = found[loaded, "PSS", "asyncio"] - found[plain, "PSS", "asyncio"]
    assert 45 < more < 65
    assert {case for case, _, subject in found if subject == "asyncio"} == {
        plain,
        loaded,
    }


@needs_compiler
def test_another_adapter_is_measured_beside_ours(tmp_path):
    """A path names another adapter; ratios are to the subject that is named last."""
    other = tmp_path / "other"
    other.symlink_to(Path(sys.executable).parent / "lambda-adapter")

    run = bench("invoke", *BRIEFLY, "--subject", other, "--json", tmp_path / "found")

    assert run.returncode == 0, run.stderr
    ours, others = run.stdout.splitlines()[:2]
    assert " x " in ours
    assert str(other) in others
    assert " x " not in others


@needs_compiler
def test_a_missing_subject_is_named(tmp_path):
    """A subject that is not available ends the run, and is named."""
    run = bench("invoke", "--subject", tmp_path / "nothing")

    assert run.returncode == 1
    assert str(tmp_path / "nothing") in run.stderr

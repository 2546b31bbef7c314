"""The pages that quote what is kept in bench/results."""

from pathlib import Path
from statistics import median

import pytest
from bench import in_process, memory
from bench.harness import plot, report, results

PROJECT = Path(__file__).parents[2]
MANAGED = PROJECT / "docs" / "how-to" / "managed-instances.md"


def test_the_newest_run_counts(tmp_path):
    """Of the runs that have what a page quotes, the newest is the one to quote."""
    series = results.Series("counts", "instructions", 1, "same event", "M", "ours")
    for taken, found in (
        ("2026-01-02", [series]),
        ("2026-01-01", [series]),
        ("2027", []),
    ):
        run = results.Results(results.Origin(taken, "", ""), found)
        results.save(run, tmp_path / f"{taken}.jsonl")

    newest = results.newest(lambda run: bool(run.series), tmp_path)

    assert newest.origin.taken == "2026-01-02"


def test_the_table_of_the_page():
    """The table of docs/benchmarks.md is that of the kept run."""
    page = (PROJECT / "docs" / "benchmarks.md").read_text("utf-8")
    kept = results.load(PROJECT / "bench" / "results" / "latest.jsonl")

    assert report.renew(page, kept) == page
    assert report.PAGE_MARK in page


def test_the_picture_of_the_page(tmp_path):
    """A picture is drawn from the run which is kept."""
    picture = tmp_path / "invoke.svg"

    plot.draw(results.load(PROJECT / "bench" / "results" / "latest.jsonl"), picture)

    assert "<svg" in picture.read_text()


def test_the_table_of_applications_in_process():
    """The page's table is that of the newest run that has applications in process."""
    page = (PROJECT / "docs" / "in-process.md").read_text("utf-8")

    assert in_process.MARK in page
    assert in_process.renew(page, results.newest(in_process.was_run)) == page


@pytest.fixture(scope="module")
def slots() -> results.Results:
    return results.newest(memory.has_slots)


def test_the_table_of_managed_instances(slots):
    """The page's table is that of the newest run with the memory of 16 concurrent."""
    page = MANAGED.read_text("utf-8")

    assert memory.MARK in page
    assert memory.renew(page, slots) == page


def test_what_the_page_of_managed_instances_says(slots):
    """One application uses an eighth of sixteen at most, and rounds are close."""
    found = {
        (each.case, each.metric, each.subject): each.rounds for each in slots.series
    }
    subjects = {"native": 2, "asyncio": 1, "Mangum": 17, "LWA": 2}

    for case in "FastAPI, 16 at once", "FastAPI with 50 MB, 16 at once":
        for subject, processes in subjects.items():
            assert {*found[case, "processes", subject]} == {processes}
            rounds = found[case, "PSS", subject]
            assert max(rounds) < 1.125 * min(rounds)
        many = median(found[case, "PSS", "Mangum"])
        assert many > 8 * median(found[case, "PSS", "native"])
        assert many > 10 * median(found[case, "PSS", "asyncio"])

"""The pages that quote what is kept in bench/results."""

import re
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


def test_what_other_pages_say():
    """README, CHANGELOG and the page for LWA's users quote the figures of the run."""
    kept = results.load(PROJECT / "bench" / "results" / "latest.jsonl")
    found: dict[tuple[object, ...], list[float]] = {
        (*each.place, each.subject): each.rounds for each in kept.series
    }

    def ratio(*place: object) -> str:
        own, peer = found[*place, "native"], found[*place, "LWA"]
        return f"{median(report.ratios(own, peer)):.2f}"

    def both(*place: object) -> list[str]:
        return [f"{median(found[*place, name]):.0f}" for name in ("native", "LWA")]

    benchmarks, readme, changelog, from_lwa = (
        " ".join((PROJECT / name).read_text("utf-8").split())
        for name in (
            "docs/benchmarks.md",
            "README.md",
            "CHANGELOG.md",
            "docs/from-lwa.md",
        )
    )
    table = benchmarks.partition("## On another processor")[2]
    times = re.findall(r"\b[01]\.\d\d\b", table.partition("any: instructions")[0])
    invocation = f"{min(times)} to {max(times)}"
    counts = [ratio("counts", "instructions", 1, name) for name in report.SETS]
    starts = [ratio("cold-start", "FastAPI", cores, "to the reply") for cores in (1, 2)]
    trivial = both("cold-start", "trivial", 1, "to the reply")
    first, later = (
        both("memory", f"after {n:,} invocations", 2, "PSS") for n in (1, 100_000)
    )

    ways = {"plain ASGI": "asyncio", "FastAPI": "asyncio", "Flask": "thread"}
    cases = {case: ("in-process", case, 1, "p50") for case in ways}
    in_process = [
        median(report.ratios(found[*cases[case], way], found[*cases[case], "native"]))
        for case, way in ways.items()
    ]
    least, most = min(in_process), max(in_process)

    assert f"{least:.1f} to {most:.1f} of the first one's time on one core" in readme
    beside = [ratio("in-process", "FastAPI", cores, "cold start") for cores in (1, 2)]
    assert " and ".join(starts) + " of LWA's time" in benchmarks
    assert " and ".join(beside) + ". So expect" in benchmarks
    assert ratio("invoke", report.SAME, 2, "p50") == min(times)
    for page in readme, changelog, from_lwa:
        assert invocation in page
    for page in readme, changelog:
        assert f"{min(counts)} to {max(counts)} of its instructions" in page
    assert f"{starts[0]} of its time on one core and {starts[1]} on two" in readme
    assert f"{trivial[0]} ms instead of {trivial[1]} ms" in readme
    assert first[0] == later[0]
    assert f"{first[0]} MB, where the Rust adapter has {first[1]} MB at first" in readme
    assert f"and {later[1]} MB after 100,000 invocations" in readme
    assert f"{first[0]} MB. The Rust adapter has {first[1]} MB at first" in from_lwa
    assert f"and had {later[1]} MB after 100,000" in from_lwa


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

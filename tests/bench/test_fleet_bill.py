"""What the simulation bills, what it keeps, and what docs/costs.md says of it."""

import subprocess
import sys
from pathlib import Path
from statistics import median, quantiles

import pytest
from bench.fleet import command, figures, pages, simulation
from bench.harness import results

from lambda_adapter.local.cost import prices
from lambda_adapter.local.cost.arrivals import TRACES
from lambda_adapter.local.cost.lambda_fleet import BURST, REFILL, Fleet, Service
from lambda_adapter.local.cost.managed import SLOTS

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "costs.md").read_text("utf-8")

QUICK = [trace for trace in TRACES if trace.name in {"bursty", "spike", "rare"}]


def test_on_demand():
    """A request costs its share of the requests, and its memory's time."""
    # 1 GB for 100 ms, a million times: 100,000 GB-s, and 0.20 for the requests.
    assert prices.on_demand(1_000_000, 100_000.0, 1024) == pytest.approx(1.66667 + 0.2)


def test_snapshots():
    """A snapshot costs its memory for as long as it is kept, and for each restore."""
    # 2 GB for 30 days, 2,592,000 s, and 10,000 restores.
    expected = 2 * 2_592_000 * 0.0000015046 + 2 * 10_000 * 0.0001397998
    assert prices.snapshots(10_000, 2_592_000, 2048) == pytest.approx(expected)


def test_instances():
    """Instances cost 15 % more than on EC2, and their requests what others do."""
    # Three of m7i.large for an hour.
    expected = 3 * 0.1008 * 1.15 + 0.20
    assert prices.managed(1_000_000, 6, 3_600) == pytest.approx(expected)


def test_billed_milliseconds():
    """Lambda bills each begun millisecond, of an init as well."""
    service = Service.started(request=0.0201, init=0.2501, first=0.0699)

    assert service.request == 0.0201
    assert service.first_request == pytest.approx(0.32)
    assert service.billed == pytest.approx(0.021)
    assert service.billed_first == pytest.approx(0.251 + 0.070)


def test_restores_are_not_billed_by_time():
    """A client waits for a restore, whose time is not billed."""
    service = Service.restored(request=0.02, restore=0.3, first=0.0201)

    assert service.first_request == pytest.approx(0.3201)
    assert service.billed_first == pytest.approx(0.021)


@pytest.fixture(scope="module")
def kept() -> results.Results:
    return results.newest(command.was_run)


def test_kept_run(kept: results.Results):
    """The kept simulation agrees with the kept figures."""
    again = simulation.simulate(kept, 1, QUICK)

    first = {
        (each.place, each.subject): each.rounds[0]
        for each in kept.series
        if each.bench == "fleet"
    }
    assert len(again) == 3 * 3 * 7 * 4
    for each in again:
        value = first[each.place, each.subject]
        assert each.rounds[0] == pytest.approx(value), each


def test_page(kept: results.Results):
    """The tables of the page are those of the kept simulation."""
    assert pages.SHORT in PAGE
    assert pages.LONG in PAGE
    assert pages.renew(PAGE, kept) == PAGE


def test_what_the_page_says(kept: results.Results):
    """The page's words about the order of the four are so in the kept simulation."""
    found = {
        (each.case, each.metric, each.subject): median(each.rounds)
        for each in kept.series
    }

    def values(trace: str, metric: str) -> list[float]:
        case = f"{trace}, {simulation.ON_DEMAND}"
        order = ("Mangum", "asyncio", "LWA", "native")
        return [found[case, metric, subject] for subject in order]

    def quartiles(subject: str, trace: str, metric: str) -> tuple[float, float]:
        case = f"{trace}, {simulation.ON_DEMAND}"
        rounds = (
            each.rounds
            for each in kept.series
            if (each.case, each.metric, each.subject) == (case, metric, subject)
        )
        low, _, high = quantiles(next(rounds), n=4, method="inclusive")
        return low, high

    for trace in "steady", "bursty", "daily":
        costs = values(trace, "cost")
        assert max(costs) < 1.02 * min(costs)
        assert max(values(trace, "p99")) < 1.01 * min(values(trace, "p99"))
        assert not any(values(trace, "refused"))
    for trace, metric in ("rare", "cost"), ("rare", "p99"), ("spike", "refused"):
        mangum, in_process, *beside = values(trace, metric)
        assert mangum < in_process < min(beside)
        low, high = quartiles("LWA", trace, metric)
        assert low < beside[1] < high
    month = 30 * 48 / 1_000_000
    assert max(values("rare", "cost")) * month < 0.02
    managed, on_demand = [
        {
            trace: found[f"{trace}, {way}", "cost", "native"]
            for trace in ("steady", "rare")
        }
        for way in (simulation.MANAGED, simulation.ON_DEMAND)
    ]
    assert managed["steady"] < on_demand["steady"] / 2
    assert managed["rare"] > on_demand["rare"] * 10_000


def test_what_the_page_says_of_its_figures(kept: results.Results):
    """Starts of the same subject differ by two fifths at most, as the page says."""
    for measured in figures.read(kept).values():
        starts = [each.start for each in measured]
        assert max(starts) <= 1.4 * min(starts)


def test_constants_of_the_page():
    """The page quotes the prices and the assumptions that the simulation takes."""
    rows = {
        "a million requests": f"${prices.REQUEST * 1e6:.2f}",
        "a GB-second": f"${prices.GB_SECOND:.10f}",
        "SnapStart: a GB restored": f"${prices.RESTORED_GB:.10f}",
        "SnapStart: a GB-second of a kept snapshot": f"${prices.CACHED_GB_SECOND:.10f}",
        "Managed Instances": f"{prices.MANAGED - 1:.0%} on top".replace("%", " %"),
        "m7i on EC2, a vCPU and hour": f"${prices.VCPU_HOUR:.4f}",
    }
    work = f"{simulation.PROCESSOR * 1e3:.0f} ms of a processor"
    waiting = f"{simulation.WAITING * 1e3:.0f} ms of waiting"

    assert [row for row in rows.items() if f"| {row[0]} | {row[1]}" not in PAGE] == []
    for text in (
        *(work, waiting, f"{simulation.MEGABYTES:,} MB"),
        f"restores in {simulation.RESTORE} s",
        f"quota is {Fleet().concurrency:,}",
        f"{BURST:,} environments at once, and {10 * REFILL:,} more in ten",
        f"{SLOTS} slots for each",
    ):
        assert text in PAGE, text


def test_picture(tmp_path: Path, kept: results.Results):
    """The picture has a panel for each trace, and names each subject."""
    picture = tmp_path / "fleet.svg"

    pages.draw(kept, picture)

    drawn = picture.read_text()
    labels = [f"{trace.name}: p99.9, ms" for trace in TRACES]
    for text in (*labels, *figures.SUBJECTS.values()):
        assert f"<!-- {text} -->" in drawn


def test_figures_that_are_missing(tmp_path: Path, kept: results.Results):
    """If figures are missing, the command says how to measure them."""
    some = results.Results(kept.origin, figures.taken(kept)[1:])
    results.save(some, tmp_path / "some.jsonl")

    run = subprocess.run(
        [sys.executable, "-m", "bench", "fleet", "--figures", tmp_path / "some.jsonl"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )

    assert (run.returncode, run.stdout) == (1, "")
    assert "--measure" in run.stderr

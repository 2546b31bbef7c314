"""Results as tables."""

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.harness.results import Results, Series
from bench.harness.stats import Estimate, estimate, ratios
from bench.harness.subjects import OURS, PEER

WIDTH = 100
"""Columns that a table needs for its numbers."""

TITLES = {
    "invoke": "An invocation: from the event's first byte to the reply's last",
    "cold-start": "A cold start: from exec",
    "growth": "An invocation as it grows",
    "memory": "Memory of the adapter's process",
    "codec": "Translation alone",
    "counts": "Counts, which have no noise",
}


def show(results: Results) -> None:
    """Print the tables of a run, what is missing in them, and the machine."""
    console = Console()
    console.width = max(console.width, WIDTH)
    missing = [
        f"{escape(each.subject)}: missing: {escape(each.why)}"
        for each in results.missing
    ]
    for bench in dict.fromkeys(each.bench for each in results.series):
        table = _table(bench, [each for each in results.series if each.bench == bench])
        table.caption = "\n".join(missing) or None
        console.print(table)
    machine = results.machine
    versions = [f"{name} {version}" for name, version in machine.versions.items()]
    console.print(
        f"{machine.cpu}, {machine.cores} cores, {machine.memory_mb:,} MB,"
        f" Linux {machine.kernel}, {machine.python}\n"
        f"{', '.join(versions)}; commit {machine.commit}",
        markup=False,
    )


def _table(bench: str, series: list[Series]) -> Table:
    """Return the table of one measurement: medians, and below them the ratios."""
    table = Table(
        title=TITLES[bench],
        box=box.SIMPLE,
        title_justify="left",
        caption_justify="left",
    )
    metrics = list(dict.fromkeys(each.metric for each in series))
    for name in ("case", "cores", "subject"):
        table.add_column(name)
    for metric in metrics:
        table.add_column(metric, justify="right")
    cells = {
        (each.case, each.cores, each.subject, each.metric): each for each in series
    }
    cases = list(dict.fromkeys(each.case for each in series))
    rows = sorted(
        {row[:3] for row in cells},
        # Ours first, the peer next, the others after them.
        key=lambda row: (
            *(cases.index(row[0]), row[1]),
            *(not row[2].startswith(OURS), row[2] != PEER, row[2]),
        ),
    )
    last = None
    for case, cores, subject in rows:
        texts = []
        for metric in metrics:
            own = cells.get((case, cores, subject, metric))
            peer = own and cells.get((case, cores, own.peer, metric))
            texts.append(_cell(own, peer) if own else "")
        shown = ("", "") if last == (case, cores) else (case, str(cores))
        table.add_row(*shown, subject, *texts)
        last = case, cores
    return table


def _cell(series: Series, peer: Series | None) -> str:
    text = _interval(estimate(series.rounds), f" {series.unit}")
    if peer and peer is not series and all(peer.rounds):
        ratio = estimate(ratios(series.rounds, peer.rounds))
        text += f"\n[bold]x[/bold] {_interval(ratio)}"
    return text


def _interval(value: Estimate, unit: str = "") -> str:
    text = f"{_number(value.median)}{unit}".strip()
    if value.low != value.high:
        text += f" [dim]{_number(value.low)}..{_number(value.high)}[/dim]"
    return text


def _number(value: float) -> str:
    """Write a number with three significant digits."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3}f}"

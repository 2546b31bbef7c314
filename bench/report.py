"""Results as tables, and as one line."""

from collections import defaultdict

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.results import Machine, Results, Series
from bench.stats import Estimate, estimate, ratios
from bench.subjects import OURS, PEER, Missing

WIDTH = 100
"""Columns that a table takes, lest numbers be cut."""

TITLES = {
    "invoke": "An invocation: from the event's first byte to the reply's last",
    "cold-start": "A cold start: from exec",
    "growth": "An invocation as it grows",
    "memory": "Memory of the adapter's process",
    "codec": "Translation alone",
    "counts": "Counts, which have no noise",
}


def show(results: Results, console: Console) -> None:
    """Print the tables of a run, and the machine."""
    for bench in dict.fromkeys(series.bench for series in results.series):
        drawn = table(bench, results.series)
        drawn.caption = "\n".join(map(_missing, results.missing)) or None
        console.print(drawn)
    console.print(describe(results.machine), markup=False)


def table(bench: str, every: list[Series]) -> Table:
    """Return the table of one benchmark: medians, and below them the ratios."""
    ours = [series for series in every if series.bench == bench]
    metrics = list(dict.fromkeys(series.metric for series in ours))
    drawn = Table(
        title=TITLES[bench],
        box=box.SIMPLE,
        title_justify="left",
        caption_justify="left",
    )
    for name in ("case", "cores", "subject"):
        drawn.add_column(name)
    for metric in metrics:
        drawn.add_column(metric, justify="right")
    rows = dict.fromkeys((each.case, each.cores, each.subject) for each in ours)
    ordered = sorted(rows, key=lambda row: _rank(row, ours))
    last = None
    for case, cores, subject in ordered:
        of_row = {
            each.metric: _cell(each, ratio_of(each, ours))
            for each in ours
            if (each.case, each.cores, each.subject) == (case, cores, subject)
        }
        shown = ("", "") if last == (case, cores) else (case, str(cores))
        drawn.add_row(*shown, subject, *(of_row.get(metric, "") for metric in metrics))
        last = case, cores
    return drawn


def ratio_of(series: Series, every: list[Series]) -> Estimate | None:
    """Return the ratio to the peer, pair by pair, or None if there is no such peer."""
    for other in every:
        if (other.bench, other.case, other.cores, other.metric, other.subject) == (
            *(series.bench, series.case, series.cores, series.metric, series.peer),
        ):
            if other is series or not all(other.rounds):
                return None
            return estimate(ratios(series.rounds, other.rounds))
    return None


def in_a_line(results: Results) -> str:
    """Return what a reviewer wants to know, as one line of ratios."""
    sayings: dict[str, list[str]] = defaultdict(list)
    for series in results.series:
        if series.subject == OURS and (ratio := ratio_of(series, results.series)):
            place = f"{series.cores} core{'s' * (series.cores > 1)}"
            values = [_number(value) for value in ratio]
            saying = "{} {} [{}..{}]".format(series.metric, *values)
            sayings[place].append(saying)
    lines = [f"{place}: {', '.join(said)}" for place, said in sayings.items()]
    missing = [f"{each.subject} is missing: {each.why}" for each in results.missing]
    return f"{OURS} / {PEER}: " + "; ".join(lines + missing)


def describe(machine: Machine) -> str:
    """Return the machine in a few lines."""
    versions = ", ".join(
        f"{name} {version}" for name, version in machine.versions.items()
    )
    return (
        f"{machine.cpu}, {machine.cores} cores, {machine.memory_mb:,} MB,"
        f" Linux {machine.kernel}, {machine.python}\n"
        f"{versions}; commit {machine.commit}"
    )


def _missing(missing: Missing) -> str:
    return f"{escape(missing.subject)}: missing: {escape(missing.why)}"


def _rank(row: tuple[str, int, str], every: list[Series]) -> tuple[int, int, int]:
    """Return where a row belongs: by case, then cores, then subject, as they came."""
    cases = list(dict.fromkeys(each.case for each in every))
    subjects = sorted({each.subject for each in every}, key=_place)
    return cases.index(row[0]), row[1], subjects.index(row[2])


def _place(subject: str) -> tuple[bool, bool, str]:
    """Ours first, the peer next, the others after them."""
    return not subject.startswith(OURS), subject != PEER, subject


def _cell(series: Series, ratio: Estimate | None) -> str:
    value = estimate(series.rounds)
    text = f"{_number(value.median)} {series.unit}".strip()
    if len(series.rounds) > 1:
        text += f" [dim]{_number(value.low)}..{_number(value.high)}[/dim]"
    if ratio:
        text += f"\n[bold]x {_number(ratio.median)}[/bold]"
        if len(series.rounds) > 1:
            text += f" [dim]{_number(ratio.low)}..{_number(ratio.high)}[/dim]"
    return text


def _number(value: float) -> str:
    """Write a number with three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{1 if abs(value) >= 10 else 2}f}"

"""The tables and the picture of a simulation, for docs/costs.md."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.fleet.figures import SUBJECTS
from bench.fleet.simulation import ON_DEMAND, WAYS
from bench.harness import report
from bench.harness.plot import COLOURS, OTHERS
from bench.harness.results import Results
from lambda_adapter.local.cost.arrivals import TRACES

SHORT = "<!-- `python -m bench readme` writes this table -->"
LONG = "<!-- `python -m bench readme` writes this table, too -->"
COLUMNS = {
    "cost": "$ a million requests",
    "starts": "of these, for starts",
    "cold starts": "Starts a million requests",
    "p50": "p50, ms",
    "p99": "p99, ms",
    "p99.9": "p99.9, ms",
    "refused": "Refused of a million",
}
IN_SHORT = ("cost", "p99", "refused")
MARKS = dict(zip(SUBJECTS, "oDs^", strict=True))

Found = dict[tuple[str, str, str], list[float]]
"""The rounds, by case, metric and subject."""


def renew(page: str, found: Results) -> str:
    """Return the page with the tables of a simulation."""
    rounds = _rounds(found)
    page = report.replace_table(page, SHORT, _short(rounds))
    return report.replace_table(page, LONG, _long(rounds))


def _rounds(found: Results) -> Found:
    return {
        (each.case, each.metric, each.subject): each.rounds
        for each in found.series
        if each.bench == "fleet"
    }


def _short(found: Found) -> Iterator[str]:
    """Return a row for each trace on demand and metric, a column for each subject."""
    yield f"| On demand | {' | '.join(SUBJECTS.values())} |"
    yield "|---|" + "---|" * len(SUBJECTS)
    for trace in TRACES:
        for metric in IN_SHORT:
            case = f"{trace.name}, {ON_DEMAND}"
            row = [found[case, metric, subject] for subject in SUBJECTS]
            if any(map(any, row)):
                label = COLUMNS[metric]
                label = label[0].lower() + label[1:]
                yield f"| {trace.name}: {label} | {' | '.join(map(_cell, row))} |"


def _long(found: Found) -> Iterator[str]:
    """Return a row for each trace, way and subject, a column for each metric."""
    yield f"| | | {' | '.join(COLUMNS.values())} |"
    yield "|---|---|" + "---|" * len(COLUMNS)
    for case in dict.fromkeys(case for case, _, _ in found):
        for subject, name in SUBJECTS.items():
            row = [found[case, metric, subject] for metric in COLUMNS]
            yield f"| {case} | {name} | {' | '.join(map(_cell, row))} |"


def _cell(rounds: Sequence[float]) -> str:
    """Return the median, and the middle half of the rounds where that says more."""
    if not any(rounds):
        return "\N{EN DASH}"
    text = report.interval(rounds)
    value, _, brackets = text.partition(" ")
    return value if brackets == f"[{value}..{value}]" else text


def draw(found: Results, file: Path) -> None:
    """Draw cost and p99.9 of each subject, by trace and way to run it."""
    import matplotlib as mpl

    mpl.use("svg")
    # The same numbers give the same file.
    mpl.rcParams["svg.hashsalt"] = "bench"
    from matplotlib import pyplot as plt

    metrics = ("cost", "p99.9")
    figure, axes = plt.subplots(
        len(metrics), len(TRACES), figsize=(14, 5), sharex="row", sharey=True
    )
    rounds = _rounds(found)
    for row, metric in zip(axes, metrics, strict=True):
        for trace, axis in zip(TRACES, row, strict=True):
            for rank, (subject, name) in enumerate(SUBJECTS.items()):
                # A little apart, or one mark would hide the others.
                places = [place + (rank - 1.5) / 8 for place in range(len(WAYS))]
                values = [
                    median(rounds[f"{trace.name}, {way}", metric, subject])
                    for way in WAYS
                ]
                colour = COLOURS.get(subject, OTHERS)
                axis.plot(values, places, MARKS[subject], color=colour, label=name)
            axis.set_yticks(range(len(WAYS)), WAYS)
            axis.set_xscale("log" if metric == "cost" else "linear")
            axis.set_xlabel(f"{trace.name}: {COLUMNS[metric]}")
            axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].invert_yaxis()
    axes[1][0].set_xlim(left=0)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="upper center", ncols=4)
    figure.tight_layout(rect=(0, 0, 1, 0.93))
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)

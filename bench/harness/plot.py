"""Pictures of a run, as SVG."""

from collections.abc import Callable, Iterator
from pathlib import Path

from matplotlib.axes import Axes

from bench.growth import SIZES
from bench.harness.results import Results, Series
from bench.harness.stats import estimate
from bench.harness.subjects import OURS, PEER

COLOURS = {OURS: "#3776ab", "ours, zipapp": "#7fb0d9", PEER: "#ce6a2b"}
OTHERS = "#9a9a9a"


def draw(results: Results, directory: Path) -> Iterator[Path]:
    """Draw what a run has, and return the files."""
    import matplotlib as mpl

    mpl.use("svg")
    # The same numbers give the same file.
    mpl.rcParams["svg.hashsalt"] = "bench"
    directory.mkdir(parents=True, exist_ok=True)
    for bench, paint in PICTURES.items():
        series = [each for each in results.series if each.bench == bench]
        if series:
            yield _picture(series, paint, directory / f"{bench}.svg")


def _picture(
    series: list[Series], paint: Callable[[list[Series], Axes], None], file: Path
) -> Path:
    from matplotlib import pyplot as plt

    panels: dict[str, list[Series]] = {}
    for each in series:
        name = f"{each.cores} core{'s' * (each.cores > 1)}"
        if paint is not _paint_growth:
            name = f"{each.case}, {name}"
        panels.setdefault(name, []).append(each)
    figure, axes = plt.subplots(
        1, len(panels), figsize=(4.2 * len(panels), 3.6), squeeze=False
    )
    for (name, shown), axis in zip(panels.items(), axes[0], strict=True):
        paint(shown, axis)
        axis.set_title(name, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
    return file


def _slowest_first(series: list[Series], metric: str) -> list[Series]:
    return sorted(
        (each for each in series if each.metric == metric),
        key=lambda each: estimate(each.rounds).median,
        reverse=True,
    )


def _paint_invoke(series: list[Series], axis: Axes) -> None:
    """Draw a dot for each subject's median, and a line to its 99th percentile."""
    tails = {each.subject: each for each in series if each.metric == "p99"}
    for each in _slowest_first(series, "p50"):
        middle = estimate(each.rounds).median
        tail = estimate(tails[each.subject].rounds).median
        colour = COLOURS.get(each.subject, OTHERS)
        axis.plot([middle, tail], [each.subject] * 2, "|-", color=colour)
        axis.plot(middle, each.subject, "o", color=colour)
    axis.set_xscale("log")
    axis.set_xlabel("µs: median, and the line to the 99th percentile")


def _paint_cold_start(series: list[Series], axis: Axes) -> None:
    for each in _slowest_first(series, "to the reply"):
        value = estimate(each.rounds)
        axis.barh(
            each.subject,
            value.median,
            color=COLOURS.get(each.subject, OTHERS),
            xerr=[[value.median - value.low], [value.high - value.median]],
        )
    axis.set_xlabel("ms from exec to the first reply")


def _paint_growth(series: list[Series], axis: Axes) -> None:
    """Draw the curve of each subject over the size of a body, for each direction."""
    styles = {"text in": ":", "text out": "-.", "binary in": "--", "binary out": "-"}
    medians = {
        (each.subject, each.case): estimate(each.rounds).median / 1000
        for each in series
        if each.metric == "p50"
    }
    for subject in dict.fromkeys(subject for subject, _ in medians):
        for kind, style in styles.items():
            axis.plot(
                [max(size, 100) for size in SIZES.values()],
                [medians[subject, f"{label} {kind}"] for label in SIZES],
                style,
                color=COLOURS.get(subject, OTHERS),
                label=f"{subject}, {kind}",
            )
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("bytes of the body")
    axis.set_ylabel("ms, median")
    axis.legend(fontsize=6, frameon=False)


PICTURES: dict[str, Callable[[list[Series], Axes], None]] = {
    "invoke": _paint_invoke,
    "cold-start": _paint_cold_start,
    "growth": _paint_growth,
}

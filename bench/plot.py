"""Pictures of a run, as SVG."""

from collections.abc import Callable, Iterator
from pathlib import Path

from matplotlib.axes import Axes

from bench.growth import SIZES
from bench.results import Results, Series
from bench.stats import estimate
from bench.subjects import OURS, PEER

COLOURS = {OURS: "#3776ab", "ours, zipapp": "#7fb0d9", PEER: "#ce6a2b"}
OTHERS = "#9a9a9a"


def draw(results: Results, directory: Path) -> Iterator[Path]:
    """Draw what a run has, and return the files."""
    import matplotlib as mpl

    mpl.use("svg")
    # The same numbers are the same file.
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

    places = list(dict.fromkeys((each.case, each.cores) for each in series))
    if paint is _paint_growth:
        places = [("", cores) for cores in sorted({each.cores for each in series})]
    figure, axes = plt.subplots(
        1, len(places), figsize=(4.2 * len(places), 3.6), squeeze=False
    )
    for (case, cores), axis in zip(places, axes[0], strict=True):
        paint(
            [
                each
                for each in series
                if each.cores == cores and case in {"", each.case}
            ],
            axis,
        )
        name = f"{case}, " if case else ""
        axis.set_title(f"{name}{cores} core{'s' * (cores > 1)}", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
    return file


def _paint_invoke(series: list[Series], axis: Axes) -> None:
    """Draw a dot for each subject's median, and a line to its 99th percentile."""
    medians = [each for each in series if each.metric == "p50"]
    medians.sort(key=lambda each: estimate(each.rounds).median, reverse=True)
    tails = {each.subject: each for each in series if each.metric == "p99"}
    for each in medians:
        middle = estimate(each.rounds).median
        tail = estimate(tails[each.subject].rounds).median
        colour = COLOURS.get(each.subject, OTHERS)
        axis.plot([middle, tail], [each.subject] * 2, "|-", color=colour)
        axis.plot(middle, each.subject, "o", color=colour)
    axis.set_xscale("log")
    axis.set_xlabel("µs: median, and the line to the 99th percentile")


def _paint_cold_start(series: list[Series], axis: Axes) -> None:
    replies = [each for each in series if each.metric == "to the reply"]
    replies.sort(key=lambda each: estimate(each.rounds).median, reverse=True)
    _bars(replies, axis)
    axis.set_xlabel("ms from exec to the first reply")


def _bars(series: list[Series], axis: Axes) -> None:
    estimates = [estimate(each.rounds) for each in series]
    axis.barh(
        [each.subject for each in series],
        [each.median for each in estimates],
        color=[COLOURS.get(each.subject, OTHERS) for each in series],
        xerr=[
            [each.median - each.low for each in estimates],
            [each.high - each.median for each in estimates],
        ],
    )


def _paint_growth(series: list[Series], axis: Axes) -> None:
    """Draw the curve of each subject over the size of a body, for each direction."""
    styles = {"text in": ":", "text out": "-.", "binary in": "--", "binary out": "-"}
    for subject in dict.fromkeys(each.subject for each in series):
        values = {
            each.case: estimate(each.rounds).median / 1000
            for each in series
            if (each.subject, each.metric) == (subject, "p50")
        }
        for kind, style in styles.items():
            axis.plot(
                [max(size, 100) for size in SIZES.values()],
                [values[f"{label} {kind}"] for label in SIZES],
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

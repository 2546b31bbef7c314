"""The picture of a run's invocations, as SVG."""

import statistics
from pathlib import Path

from bench.harness.results import Results
from bench.harness.subjects import NATIVE, PEER

COLOURS = {NATIVE: "#3776ab", "asyncio": "#8fbce0", PEER: "#ce6a2b"}
OTHERS = "#9a9a9a"
LABELS = {NATIVE: "this adapter"}
"""What a picture calls a subject, where that is not its name."""


def draw(results: Results, file: Path) -> None:
    """Draw a dot for each subject's median, and a line to its 99th percentile."""
    import matplotlib as mpl

    mpl.use("svg")
    # The same numbers give the same file.
    mpl.rcParams["svg.hashsalt"] = "bench"
    from matplotlib import pyplot as plt

    panels: dict[str, dict[str, dict[str, float]]] = {}
    """Medians by panel, subject and metric."""
    for each in results.series:
        if each.bench == "invoke":
            panel = f"{each.case}, {each.cores} core{'s' * (each.cores > 1)}"
            subject = panels.setdefault(panel, {}).setdefault(each.subject, {})
            subject[each.metric] = statistics.median(each.rounds)
    figure, axes = plt.subplots(
        1, len(panels), figsize=(4.2 * len(panels), 2.8), squeeze=False
    )
    for (name, subjects), axis in zip(panels.items(), axes[0], strict=True):
        slowest_first = sorted(subjects.items(), key=lambda item: -item[1]["p50"])
        for subject_name, medians in slowest_first:
            line = [medians["p50"], medians["p99"]]
            label = LABELS.get(subject_name, subject_name)
            colour = COLOURS.get(subject_name, OTHERS)
            axis.plot(line, [label] * 2, "|-", color=colour)
            axis.plot(line[0], label, "o", color=colour)
        axis.set_xscale("log")
        axis.set_xlabel("µs: median, and the line to the 99th percentile")
        axis.set_title(name, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)

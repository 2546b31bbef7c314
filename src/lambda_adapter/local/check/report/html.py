"""Render a report as one HTML page without external files."""

from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from lambda_adapter import __version__
from lambda_adapter.local.check.finding import Status
from lambda_adapter.local.check.report.text import verdict
from lambda_adapter.local.check.result import Result
from lambda_adapter.local.check.rules.start import INIT, SIZES

WIDTH = 560
"""Width of a picture in its units."""

LEFT = 96
"""Width of the labels beside the bars of the start, in the picture's units."""


def render(result: Result) -> bytes:
    """Return a report as an HTML page."""
    templates = Environment(
        loader=PackageLoader("lambda_adapter.local.check", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = templates.get_template("page.html").render(
        result=result,
        verdict=verdict(result),
        groups=[
            (status.value, [each for each in result.ordered if each.status is status])
            for status in Status
        ],
        bars=_start_bars(result),
        init=LEFT + round((WIDTH - LEFT) * min(INIT / _start_scale(result), 1)),
        memory=_memory_line(result),
        left=LEFT,
        version=__version__,
        today=f"{datetime.now():%d %B %Y}".lstrip("0"),
    )
    return page.encode()


def _start_scale(result: Result) -> float:
    """Return the seconds at the right end of the picture of the start."""
    start = result.start
    return max(INIT * 1.1, *(start.at(size) for size in SIZES)) if start else INIT


def _start_bars(result: Result) -> list[tuple[str, int, str]]:
    """Return the bars of the start: label, width and seconds."""
    start = result.start
    if start is None:
        return []
    scale = (WIDTH - LEFT) / _start_scale(result)
    return [
        (
            f"{size:,} MB",
            max(round(start.at(size) * scale), 1),
            f"{start.at(size):.1f} s",
        )
        for size in SIZES
    ]


def _memory_line(result: Result) -> tuple[str, str, str, int] | None:
    """Return the line of memory over requests: points, two labels, and its end."""
    weights = result.weights
    if len(weights) < 2:
        return None
    most = max(max(mb for _, mb in weights), 1.0) * 1.2
    last = max(weights[-1][0], 1)
    heights = [round(120 - mb / most * 110) for _, mb in weights]
    points = " ".join(
        f"{round(requests / last * WIDTH)},{height}"
        for (requests, _), height in zip(weights, heights, strict=True)
    )
    return points, f"{weights[-1][1]:.0f} MB", f"{last} requests", heights[-1]

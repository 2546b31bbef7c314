"""Draw a sequence of messages, written as text, as an SVG for light and dark pages.

``python packaging/draw_sequence.py`` renews docs/assets/how-it-works.svg. A line of the
text is ``# a comment``, ``== a phase``, ``From -> To: message`` or ``Who: step``; the
first of the others lists the lanes. What follows ``|`` is the code that does it, as
``module:name``, and tests/packaging/test_draw_sequence.py holds that to the source.
"""

from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

TEXT = Path(__file__).parent.parent / "docs" / "assets" / "how-it-works.txt"

LANE, ROW, TOP, MARGIN = 270, 44, 64, 135
"""Units: between two lanes, between two rows, above the rows, at the sides."""

STYLE = """
text { font: 14px system-ui, sans-serif; fill: #24292f; text-anchor: middle }
.code { font: 11px ui-monospace, monospace; fill: #57606a }
.lane { font-weight: 600 }
.phase { text-anchor: start; font-weight: 600; fill: #3949ab }
line, path { stroke: #57606a; fill: none }
.life { stroke: #d0d7de }
.box { fill: #eef0fb; stroke: #3949ab }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .code { fill: #9aa4ae } .phase { fill: #9fa8da }
  line, path { stroke: #9aa4ae } .life { stroke: #444c56 }
  .box { fill: #21264a; stroke: #9fa8da }
}
"""


_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"
 role="img" aria-label="{label}">"""
_HEAD = f"""<style>{STYLE}</style>
<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8"
 orient="auto"><path d="M0 0L8 4L0 8"/></marker>"""


class Step(NamedTuple):
    """A message from one lane to another, a step in one lane, or a phase."""

    text: str
    start: str = ""
    end: str = ""
    code: str = ""

    @property
    def code_name(self) -> str:
        """The last part of the code's name, as the drawing shows it."""
        return self.code.rpartition(":")[2]


def read(text: str) -> tuple[list[str], list[Step]]:
    """Return the lanes and the steps of a text."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    lanes = [lane.strip() for lane in lines.pop(0).split(",")]
    return lanes, [_step(line) for line in lines]


def _step(line: str) -> Step:
    if line.startswith("== "):
        return Step(line.removeprefix("== "))
    said, _, code = (part.strip() for part in line.partition("|"))
    lanes, _, text = said.partition(": ")
    start, _, end = lanes.partition(" -> ")
    return Step(text, start, end, code)


def draw(lanes: list[str], steps: list[Step]) -> str:
    """Return the drawing."""
    width = 2 * MARGIN + LANE * (len(lanes) - 1)
    height = TOP + ROW * len(steps)
    places = {lane: MARGIN + LANE * number for number, lane in enumerate(lanes)}
    label = escape("; ".join(step.text for step in steps))
    parts = [_SVG.format(width=width, height=height, label=label), _HEAD]
    for lane, x in places.items():
        parts.append(_text(x, 24, lane, "lane"))
        parts.append(f'<line class="life" x1="{x}" y1="34" x2="{x}" y2="{height}"/>')
    for number, step in enumerate(steps):
        parts += _draw_step(step, places, TOP + ROW * number)
    return "\n".join([*parts, "</svg>", ""])


def _draw_step(step: Step, places: dict[str, int], y: int) -> list[str]:
    if not step.start:
        return [_text(8, y + 4, step.text, "phase")]
    start = places[step.start]
    if not step.end:
        box = f'<rect class="box" x="{start - 125}" y="{y - 20}" width="250"'
        return [
            f'{box} height="36" rx="6"/>',
            _text(start, y - 5, step.text),
            _text(start, y + 10, step.code_name, "code"),
        ]
    end = places[step.end]
    middle = (start + end) // 2
    return [
        f'<line x1="{start}" y1="{y}" x2="{end}" y2="{y}" marker-end="url(#head)"/>',
        _text(middle, y - 6, step.text),
        _text(middle, y + 13, step.code_name, "code"),
    ]


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(text)}</text>' if text else ""


if __name__ == "__main__":
    TEXT.with_suffix(".svg").write_text(draw(*read(TEXT.read_text("utf-8"))), "utf-8")

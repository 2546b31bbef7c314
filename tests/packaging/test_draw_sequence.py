"""``draw_sequence``: the picture of how the adapter works."""

import importlib
import runpy

from tests.emulator import PROJECT

script = runpy.run_path(str(PROJECT / "packaging" / "draw_sequence.py"))
TEXT, Step, draw, read = (script[name] for name in ("TEXT", "Step", "draw", "read"))


def find(name: str) -> object:
    """Return what ``module:attribute.attribute`` names."""
    module, _, path = name.partition(":")
    found: object = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def test_picture_is_drawn_from_its_text():
    """The picture in docs is the one that its text describes."""
    picture = TEXT.with_suffix(".svg").read_text("utf-8")

    assert picture == draw(*read(TEXT.read_text("utf-8")))


def test_picture_names_the_code():
    """Each function that the picture names is in the source."""
    _, steps = read(TEXT.read_text("utf-8"))
    names = [step.code for step in steps if step.code]

    assert len(names) > 5
    assert [name for name in names if not callable(find(name))] == []


def test_text_is_read():
    """A line is a phase, a message between two lanes, or a step in one."""
    text = "# why\nA, B\n== First\nA -> B: hello | x.y:z\nB: think\n"

    assert read(text) == (
        ["A", "B"],
        [Step("First"), Step("hello", "A", "B", "x.y:z"), Step("think", "B")],
    )


def test_picture_escapes_its_text():
    """Text with XML's own characters is shown as it is."""
    assert "a &lt; b &amp; c" in draw(["A"], [Step("a < b & c", "A")])

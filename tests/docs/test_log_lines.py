"""docs/when-something-fails.md explains each line that the adapter writes."""

import ast
import re
from collections.abc import Iterator

import pytest

from lambda_adapter import errors
from tests.emulator import PROJECT

PAGE = (PROJECT / "docs" / "when-something-fails.md").read_text("utf-8")
SOURCE = PROJECT / "src" / "lambda_adapter"
FILES = [path for path in SOURCE.rglob("*.py") if "local" not in path.parts]

JOINT = re.compile(r'"\s+f?"')
"""Where a string goes on in the next line."""

FIRST = 40
"""Characters of a line that the page has at least, if the line has as many."""


def complaints() -> Iterator[str]:
    """Yield the longest fixed part of each warning and error that is logged."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Name(id="log"), attr="warning" | "error"
                    ),
                    args=[ast.Constant(value=str(template)), *_],
                ):
                    part = max(re.split(r"%\S+", template), key=len).strip(" :;,")
                    if part:
                        yield part[:FIRST]


def test_every_line_is_written():
    """Each log line that the page explains is in the source, but for what varies."""
    source = "\n".join(JOINT.sub("", path.read_text("utf-8")) for path in FILES)
    lines = re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE)

    parts = [
        part for line in lines for part in re.split(r" ?\.\.\. ?|; ", line) if part
    ]

    assert len(lines) > 40
    assert [part for part in parts if part not in source] == []


def test_every_complaint_is_explained():
    """Each warning and each error that the adapter logs is on the page."""
    text = re.sub(r"\s+", " ", PAGE)
    found = set(complaints())

    assert len(found) > 20
    assert [part for part in found if part not in text] == []


@pytest.mark.parametrize(
    "error",
    [
        each
        for each in vars(errors).values()
        if isinstance(each, type)
        and issubclass(each, errors.AdapterError)
        and not each.__subclasses__()
        and not issubclass(each, errors.PeerError)  # Lambda never hears of it
    ],
)
def test_every_type_is_explained(error: type[errors.AdapterError]):
    """Each type of error that Lambda can report is in the page's table."""
    assert f"`Runtime.{error.__name__}`" in PAGE.partition("\n## ")[0]

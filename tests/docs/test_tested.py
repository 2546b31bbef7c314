"""docs/reference/tested.md names the tests of what all other pages claim."""

import re

from tests.emulator import PROJECT

DOCS = PROJECT / "docs"
PAGE = DOCS / "reference/tested.md"
NAMED = re.compile(r"tests/[\w/.]+::\w+")


def first_cells(markdown: str) -> list[str]:
    """Return the first cell of each row of each table, without those of its head."""
    rows = re.findall(r"^\| (.+?) +\|", markdown, re.MULTILINE)
    heads = re.findall(r"^\| (.+?) +\|.*\n\|-", markdown, re.MULTILINE)
    return [row.casefold() for row in rows if row not in heads]


def test_tests_are_named_on_one_page():
    """No page for users names a test: they fill the tables and the search."""
    pages = [page for page in DOCS.rglob("*.md") if page != PAGE]

    assert [each for each in pages if NAMED.search(each.read_text("utf-8"))] == []


def test_every_row_of_parity_has_its_test():
    """Each row of docs/parity.md is a claim with a test, in the same order."""
    text = PAGE.read_text("utf-8")
    claims = text.partition("\n## Parity with AWS's adapter\n")[2]

    rows = first_cells((DOCS / "parity.md").read_text("utf-8"))

    assert len(rows) > 200
    assert first_cells(claims) == rows
    assert len(re.findall(r"^\|.*tests/.+::", claims, re.MULTILINE)) == len(rows)


def test_every_test_that_is_named_exists():
    """A test that was renamed or removed is renamed or removed on the page, too."""
    named = {tuple(each.split("::")) for each in NAMED.findall(PAGE.read_text("utf-8"))}

    assert len(named) > 300
    assert [
        (file, name)
        for file, name in sorted(named)
        if f"def {name}(" not in (PROJECT / file).read_text("utf-8")
    ] == []

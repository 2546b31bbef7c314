"""The words of the documentation: none that a reader has to read twice."""

import re

import pytest

from tests.emulator import PROJECT

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/*/README.md")
    for path in PROJECT.glob(pattern)
)
CODE = re.compile(r"^```.*?^```$|`[^`]+`", re.MULTILINE | re.DOTALL)
BETTER = {
    r"anew|begun": "again, new, started",
    r"whoever|who comes": "the one who, anyone who, you",
    r"(?:is|are) to be": "must be, has to be",
    r"bears?|bearing": "have, carry",
    r"on (?:your|a|the) desk": "locally, on your machine",
    r"of (?:its|their|your) own(?! \w)": "its own, separate",
    r"that of|those of your": "the ... of, the same as",
    r"hand(?:s|ed)? (?:it |them )?on": "pass on, forward",
    r"header fields?": "header",
    r"makes? no sense": "is invalid",
    r"is none": "is not a ..., is invalid",
    r"(?:is|are) told": "gets, learns",
    r"goes? on|went on": "continues",
    r"knows? of": "is specific to, has",
    r"takes? no part": "is not used",
    r"at once": "immediately, concurrently",
}
ALLOWED = {
    "environments at once": "docs/costs.md quotes AWS's scaling",
    "64 at once that wait": "the name of a benchmark",
}
"""Words that stay, and why."""


@pytest.mark.parametrize("words", BETTER)
def test_plain_words(words: str):
    """No page has a phrase for which the field has a plainer word."""
    pattern = re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    found = [
        f"{page.relative_to(PROJECT)}: {line.strip()}"
        for page in PAGES
        for line in CODE.sub("", page.read_text("utf-8")).splitlines()
        if pattern.search(line) and not any(each in line for each in ALLOWED)
    ]

    assert found == [], f"write instead: {BETTER[words]}"

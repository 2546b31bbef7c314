"""The links between the repository's pages: the site's own are in test_site.py."""

import re
from pathlib import Path

import pytest

from tests.emulator import PROJECT

PAGES = sorted(
    path
    for folder in (".", "docs", "bench", "examples", "tests")
    for path in (PROJECT / folder).glob("*.md" if folder == "." else "**/*.md")
    if "node_modules" not in path.parts
)
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


def read(page: Path) -> str:
    """Return the text of a page, without its blocks of code."""
    return CODE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", read(page), re.MULTILINE)
    }


@pytest.mark.parametrize(
    "page", PAGES, ids=[page.relative_to(PROJECT).as_posix() for page in PAGES]
)
def test_links_lead_somewhere(page: Path):
    """Each link of a page leads to a file that exists, and to a heading in it."""
    for target, anchor in LINK.findall(read(page)):
        file = (page.parent / target).resolve() if target else page

        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{target}#{anchor}"

"""The documentation's site, as `make site` builds it."""

import html
import re
from pathlib import Path

from lambda_adapter.settings import SETTINGS
from tests.docs import settings_table
from tests.docs.conftest import REPOSITORY
from tests.emulator import PROJECT

DOCS = PROJECT / "docs"


def test_every_page_is_on_it(site: Path):
    """Every page of docs/ is on the site and in its navigation."""
    pages = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    home = (site / "index.html").read_text("utf-8")

    assert all((site / page).is_file() for page in pages)
    assert [page for page in pages if f'href="{page}"' not in home] == []


def test_settings_are_those_of_the_adapter(site: Path):
    """The reference of settings has each variable, its default and its meaning."""
    page = (site / "reference/settings.html").read_text("utf-8")
    text = html.unescape(re.sub(r"<[^>]+>", "", page))

    for setting in SETTINGS:
        assert all(name in text for name in setting.names)
        assert setting.default in text
        assert setting.meaning.replace("`", "") in text


def test_settings_are_in_the_repository():
    """The page has the same table for those who read it in the repository."""
    page = settings_table.PAGE.read_text("utf-8")

    assert settings_table.MARK in page
    assert settings_table.renew(page) == page


def test_links_lead_to_files(site: Path):
    """Each link leads to a file of the site, or to one of this checkout."""
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        for target in re.findall(r'(?:href|src)="([^"#?]+)', text):
            if ":" not in target and page.name != "404.html":
                assert (page.parent / target).exists(), (page.name, target)


def test_published_links_lead_to_the_repository(published_site: Path):
    """With the repository's address, links to examples and files lead there."""
    flask = (published_site / "how-to/flask.html").read_text("utf-8")
    in_process = (published_site / "in-process.html").read_text("utf-8")

    assert f'href="{REPOSITORY}/tree/main/examples/flask"' in flask
    assert f'href="{REPOSITORY}/blob/main/tests/programs/mixed_app.py"' in in_process
    assert [
        page.name
        for page in published_site.rglob("*.html")
        if 'href="../../' in page.read_text("utf-8") and page.name != "404.html"
    ] == []


def test_nothing_is_fetched_from_elsewhere(site: Path):
    """A page of the site loads its styles, scripts and pictures from the site."""
    for page in site.rglob("*.html"):
        loads = (
            r'<(?:link[^>]+stylesheet[^>]+href|(?:script|img)[^>]+src)="(https?:[^"]+)'
        )
        assert re.findall(loads, page.read_text("utf-8")) == []

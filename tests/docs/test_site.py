"""The documentation's site, as `make site` builds it."""

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_adapter.settings import SETTINGS
from tests.emulator import PROJECT

DOCS = PROJECT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly: any warning fails it."""
    directory = tmp_path_factory.mktemp("site")
    subprocess.run(
        [
            *(sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"),
            *("--config-file", PROJECT / "mkdocs.yml", "--site-dir", directory),
        ],
        env={"PATH": os.environ["PATH"], "NO_MKDOCS_2_WARNING": "1"},
        check=True,
    )
    return directory


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


def test_no_link_leads_out_of_it(site: Path):
    """No link or picture leads to a file that is not on the site."""
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        for target in re.findall(r'(?:href|src)="([^"#?]+)', text):
            if ":" not in target and page.name != "404.html":
                assert (page.parent / target).exists(), (page.name, target)


def test_nothing_is_fetched_from_elsewhere(site: Path):
    """A page of the site loads its styles, scripts and pictures from the site."""
    for page in site.rglob("*.html"):
        loads = (
            r'<(?:link[^>]+stylesheet[^>]+href|(?:script|img)[^>]+src)="(https?:[^"]+)'
        )
        assert re.findall(loads, page.read_text("utf-8")) == []

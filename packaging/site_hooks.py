"""What the documentation's site adds to its pages: see mkdocs.yml.

The pages can be read in the repository as well, where they link to files that are not
on the site. On the site, such a link leads to the repository whose address mkdocs.yml
or [project.urls] has; without an address, to the files of this checkout.

https://www.mkdocs.org/user-guide/configuration/#hooks
"""

import html
import os
import posixpath
import re
import tomllib
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from lambda_adapter.settings import SETTINGS

PROJECT = Path(__file__).parent.parent
PICTURES = "bench/results"
"""Where pictures are that pages of docs/ show, beside docs/ itself."""

LINK = re.compile(r"(!?)\[([^]]*)\]\(([^):\s]*)\)")
SETTINGS_MARK = "<!-- the settings -->"
NONE = "\N{EN DASH}"

BOOSTS = {
    "index.md": 0.5,
    "design.md": 0.3,
    "parity.md": 0.3,
    "security.md": 0.5,
    "local-check.md": 0.7,
}
"""How pages count in the search that would come before the one that a reader wants."""

NOT_SEARCHED = {"reference/tested.md"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Take the repository's address from pyproject.toml, if mkdocs.yml has none."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    config.repo_url = config.repo_url or project.get("urls", {}).get("Repository", "")
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Put the benchmarks' pictures on the site."""
    for picture in sorted((PROJECT / PICTURES).glob("*.svg")):
        name = f"{PICTURES}/{picture.name}"
        files.append(File.generated(config, name, abs_src_path=str(picture)))
    return files


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Write the settings where their mark is, and lead links out of docs/ elsewhere."""
    page.meta["search"] = {
        "boost": BOOSTS.get(page.file.src_uri, 1),
        "exclude": page.file.src_uri in NOT_SEARCHED,
    }
    folder = posixpath.dirname(page.file.src_uri)

    def lead(link: re.Match[str]) -> str:
        picture, text, target = link.groups()
        path, _, anchor = target.partition("#")
        inside = posixpath.normpath(posixpath.join(folder, path))
        if not inside.startswith("../"):
            return link[0]
        name = inside.removeprefix("../")
        if picture and name.startswith(PICTURES):
            return f"![{text}]({posixpath.relpath(name, folder or '.')})"
        if config.repo_url:
            kind = "blob" if (PROJECT / name).is_file() else "tree"
            url = f"{config.repo_url.rstrip('/')}/{kind}/main/{name}"
            return f"[{text}]({url}{'#' if anchor else ''}{anchor})"
        here = os.path.relpath(PROJECT / name, Path(config.site_dir) / folder)
        return f'<a href="{here}">{text}</a>'

    return LINK.sub(lead, markdown).replace(SETTINGS_MARK, settings_table())


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Make tables fit the window: ranges may break, short code may not.

    Each cell gets its column's name, which site.css shows in a narrow window.
    """
    return re.sub(r"<table>.*?</table>", _label_cells, html, flags=re.DOTALL)


def _label_cells(table: re.Match[str]) -> str:
    names = [
        html.escape(html.unescape(re.sub(r"<[^>]+>", "", name)).strip(), quote=True)
        for name in re.findall(r"<th[^>]*>(.*?)</th>", table[0], re.DOTALL)
    ]

    def label_row(row: re.Match[str]) -> str:
        columns = iter(["", *names[1:]])
        return re.sub(r"<td", lambda _: f'<td data-label="{next(columns)}"', row[0])

    labelled = re.sub(r"<tr>.*?</tr>", label_row, table[0], flags=re.DOTALL)
    whole = re.sub(
        r"<code>([^<]{1,20})</code>", r'<code class="short">\1</code>', labelled
    )
    return re.sub(r"(?<=\d)\.\.(?=\d)", "..<wbr>", whole)


def settings_table() -> str:
    """Return the table of settings in Markdown."""
    rows = ["| Variable (also read) | Default | Meaning |", "|---|---|---|"]
    for setting in SETTINGS:
        strongest, *others = (f"`{name}`" for name in setting.names)
        names = f"{strongest} ({', '.join(others)})" if others else strongest
        default = f"`{setting.default}`" if setting.default else NONE
        rows.append(f"| {names} | {default} | {setting.meaning} |")
    return "\n".join(rows)

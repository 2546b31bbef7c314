"""What the documentation's site adds to its pages: see mkdocs.yml.

The pages are to be read in the repository as well, where they link to files that are
not on the site. On the site, such a link names the file; it leads to the repository
once mkdocs.yml has `repo_url`.

https://www.mkdocs.org/user-guide/configuration/#hooks
"""

import posixpath
import re
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
            return f"[{text}]({config.repo_url.rstrip('/')}/blob/main/{name}#{anchor})"
        return text if text == name else f"{text} (`{name}`)"

    return LINK.sub(lead, markdown).replace(SETTINGS_MARK, settings_table())


def settings_table() -> str:
    """Return the table of settings in Markdown."""
    rows = ["| Variable (also read) | Default | Meaning |", "|---|---|---|"]
    for setting in SETTINGS:
        strongest, *others = (f"`{name}`" for name in setting.names)
        names = f"{strongest} ({', '.join(others)})" if others else strongest
        default = f"`{setting.default}`" if setting.default else NONE
        rows.append(f"| {names} | {default} | {setting.meaning} |")
    return "\n".join(rows)

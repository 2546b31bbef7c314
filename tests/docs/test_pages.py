"""What the pages of docs/ say to run works, from the top of a checkout.

Each page is tried in a copy of the repository, in an environment where the adapter was
installed as the tutorial says. It takes packages from their registries, and Node.js,
npm, Maven and a JDK where a page does.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.session import run
from tests.e2e.applications import need
from tests.emulator import PROJECT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

DOCS = PROJECT / "docs"
NEEDS = {
    "how-to/express": ["npm"],
    "how-to/springboot": ["mvn", "javac"],
    "how-to/go": ["go"],
    "how-to/php": ["php"],
}
PAGES = sorted(
    path.relative_to(DOCS).with_suffix("").as_posix()
    for path in DOCS.rglob("*.md")
    if "```console" in path.read_text("utf-8")
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tutorial's environment, without what its pages install themselves."""
    directory = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    pip = directory / "bin/pip"
    subprocess.run([pip, "install", "--quiet", f"{PROJECT}[local]"], check=True)
    return directory


@pytest.mark.parametrize("page", PAGES)
def test_page(tmp_path: Path, environment: Path, page: str):
    """Each command of a page succeeds, and prints what the page shows."""
    for program in NEEDS.get(page, []):
        need(program)
    checkout = tmp_path / "checkout"
    copy_checkout(checkout)
    path = f"{environment / 'bin'}:{os.environ['PATH']}"

    run((DOCS / f"{page}.md").read_text("utf-8"), checkout, {"PATH": path})


def copy_checkout(target: Path) -> None:
    """Copy the repository's files; what was built and installed is not copied."""
    ignored = {".git", ".cache", ".venv", "build", "dist", "node_modules", "target"}
    shutil.copytree(
        PROJECT,
        target,
        ignore=lambda folder, names: (
            ignored & set(names)
            | {
                name
                for name in names
                if name.endswith("_cache") or name == "__pycache__"
            }
        ),
    )
    for made in (".cache", ".venv", "dist"):
        (target / made).symlink_to(PROJECT / made)

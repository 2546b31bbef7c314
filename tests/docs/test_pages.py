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

from tests.docs.session import run, steps
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
PAGES = [
    "../README",
    *sorted(
        path.relative_to(DOCS).with_suffix("").as_posix()
        for path in DOCS.rglob("*.md")
        if "```console" in path.read_text("utf-8")
    ),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tutorial's environment, without what its pages install themselves."""
    directory = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    pip = directory / "bin/pip"
    subprocess.run([pip, "install", "--quiet", f"{PROJECT}[local]"], check=True)
    return directory


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The .venv of a copied checkout, for the pages that run `make`.

    `make` installs the checkout that it runs in, editable. In the project's own .venv
    that would be a copy, which is gone after the test.
    """
    checkout = tmp_path_factory.mktemp("tools") / "checkout"
    copy_checkout(checkout)
    make = ("make", "--silent", f"PYTHON={sys.executable}", "dev")
    subprocess.run(make, cwd=checkout, check=True)
    return checkout / ".venv"


@pytest.mark.parametrize("page", PAGES)
def test_page(
    request: pytest.FixtureRequest, tmp_path: Path, environment: Path, page: str
):
    """Each command of a page succeeds, and prints what the page shows."""
    for program in NEEDS.get(page, []):
        need(program)
    markdown = (DOCS / f"{page}.md").read_text("utf-8")
    checkout = tmp_path / "checkout"
    copy_checkout(checkout)
    for made in (".cache", "dist"):
        (checkout / made).symlink_to(PROJECT / made)
    if any("make " in step.script for step in steps(markdown)):
        (checkout / ".venv").symlink_to(request.getfixturevalue("tools"))
    path = f"{environment / 'bin'}:{os.environ['PATH']}"

    run(markdown, checkout, {"PATH": path})


def test_pages_leave_the_environment_of_the_tests_alone(tools: Path):
    """Packages that a page builds with `make` are installed in another environment."""
    where = "import lambda_adapter; print(lambda_adapter.__file__)"
    own, copied = (
        subprocess.run(
            [python, "-c", where], cwd="/", check=True, capture_output=True, text=True
        ).stdout
        for python in (sys.executable, tools / "bin/python")
    )

    assert copied.startswith(str(tools.parent))
    assert not own.startswith(str(tools.parent))


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

"""The shell in which pages are tried: it tells whether a page works."""

from pathlib import Path

import pytest

from tests.docs.session import PageError, run

FENCE = "`" * 3


def block(*lines: str, head: str = "console", comment: str = "") -> str:
    """Return a block of a page."""
    return "\n".join([*filter(None, [comment]), FENCE + head, *lines, FENCE, "", ""])


def test_files_and_commands(tmp_path: Path):
    """A page's files are written where its commands are run, one after the other."""
    page = (
        block("$ mkdir app", "$ cd app")
        + block("print('Hello', 7 * 6)", head='python title="hello.py"')
        + block("$ python3 hello.py", "Hello 42")
    )

    run(page, tmp_path, {})

    assert (tmp_path / "app/hello.py").is_file()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["$ echo one", "two"], "one"),
        (["$ true", "$ echo why; false", "$ echo never"], "why"),
        (["$ exit 3"], "exit 3"),
    ],
    ids=["something else is printed", "a command fails", "the shell ends"],
)
def test_page_that_is_wrong(tmp_path: Path, lines: list[str], expected: str):
    """A page is wrong if a command fails, or prints something else than is shown."""
    with pytest.raises(PageError, match=expected):
        run(block(*lines), tmp_path, {})


@pytest.mark.parametrize(
    "shown",
    [
        ["one", "...", "four"],
        ["...", "one", "...", "two", "three", "four", "..."],
        ["o...", "two", "th...e", "four"],
        [],
    ],
    ids=["lines", "no lines", "parts of a line", "nothing shown"],
)
def test_what_is_left_out(tmp_path: Path, shown: list[str]):
    """Three dots stand for anything, and where nothing is shown, anything is right."""
    run(block("$ printf '%s\\n' one two \\", "    three four", *shown), tmp_path, {})


def test_server(tmp_path: Path):
    """A command that serves runs on a free port, and ends with the page."""
    serve = block("$ python3 -m http.server 8080", comment="<!-- serves: 8080 -->")
    ask = block("$ python3 ask.py", "200")
    program = (
        "from urllib.request import urlopen",
        "print(urlopen('http://127.0.0.1:8080/').status)",
    )

    run(block(*program, head='python title="ask.py"') + serve + ask, tmp_path, {})


def test_blocks_that_are_not_run(tmp_path: Path):
    """A block is left out for a reason that is known, and for no other."""
    run(block("$ exit 1", comment="<!-- not run: needs AWS -->"), tmp_path, {})

    with pytest.raises(PageError, match="is boring"):
        run(block("$ exit 1", comment="<!-- not run: is boring -->"), tmp_path, {})

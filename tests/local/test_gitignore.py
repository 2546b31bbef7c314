"""``.gitignore``, compared with git itself."""

import subprocess
from pathlib import Path

import pytest

from lambda_adapter.local.gitignore import is_ignored, parse_gitignore
from tests.e2e.applications import need

PATTERNS = """
# a comment
*.log
!keep.log
/made.py
build/
doc/*.txt
**/cache
a/**/b
logs/**
\\#odd
\\!odd
space\\@
trailing@@
[abc].py
[!abc]z.py
x?.py
deep/er/
!deep/er/kept.py
*.[oa]
[]].py
foo\\*bar
""".replace("@", " ")

PATHS = [
    *("a.log", "keep.log", "x/keep.log", "x/a.log", "made.py", "x/made.py"),
    *("build/a.py", "x/build/a.py", "build", "doc/a.txt", "doc/x/a.txt"),
    *("cache/a.py", "x/y/cache/a.py", "a/b", "a/x/b", "a/x/y/b", "logs/a.py"),
    *("#odd", "!odd", "space ", "trailing", "a.py", "d.py", "dz.py", "az.py"),
    *("xy.py", "x.py", "deep/er/kept.py", "deep/a.py", "m.o", "x/m.a", "m.c"),
    *("].py", "foo*bar", "fooxbar", "sub/own.txt", "sub/x/own.txt", "own.txt"),
]


@pytest.mark.e2e
def test_git_agrees(tmp_path: Path):
    """A file is ignored if git ignores it, by two files in two folders."""
    need("git")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "sub").mkdir()
    (tmp_path / ".gitignore").write_text(PATTERNS)
    (tmp_path / "sub" / ".gitignore").write_text("/own.txt\n!a.log\n")
    files = [
        ("", parse_gitignore(PATTERNS)),
        ("sub", parse_gitignore("/own.txt\n!a.log\n")),
    ]
    paths = [*PATHS, "sub/a.log", "sub/b.log"]

    said = subprocess.run(
        ["git", "check-ignore", "--stdin", "--no-index", "-z"],
        cwd=tmp_path,
        input="\0".join(paths),
        capture_output=True,
        text=True,
        check=True,
    )

    ours = {path for path in paths if is_ignored(path, files, is_folder=False)}
    assert ours == set(said.stdout.split("\0")) - {""}


def test_a_pattern_that_can_not_be():
    """A range in reverse order matches nothing, and is not an error."""
    assert not is_ignored("b", [("", parse_gitignore("[z-a]"))], is_folder=False)

"""Completion of command lines in bash, zsh and fish."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambda_adapter.local.completion import FILES, candidates
from tests.adapter import ENVIRON
from tests.e2e.applications import need

BASH = """
source <(lambda-adapter local completion bash)
COMP_WORDS=(lambda-adapter local --gat) COMP_CWORD=2
_lambda_adapter
echo "${COMPREPLY[@]}"
"""

ZSH = """
autoload -Uz compinit && compinit -u -d $PWD/dump
source <(lambda-adapter local completion zsh)
compadd() { shift; print -- "$@" }
words=(lambda-adapter local --gat) CURRENT=3
_lambda_adapter
"""

FISH = """
lambda-adapter local completion fish | source
complete -C "lambda-adapter local --gat"
"""


@pytest.mark.parametrize(
    ("words", "some"),
    [
        ([""], {"local", "--asgi", "--version"}),
        (["local", ""], {"invoke", "events", "completion"}),
        (["local", "--"], {"--gateway", "--reload", "--help"}),
        (["local", "--gateway", "alb"], {"alb", "alb-multi-value"}),
        (["local", "--port", "0", "--no-fr"], {"--no-freeze"}),
        (["local", "invoke", "--ki"], {"--kind"}),
        (["local", "invoke", "--event", "x"], {FILES}),
        (["local", "events", "sn"], {"sns"}),
        (["local", "completion", ""], {"bash", "zsh", "fish"}),
        (["--m"], {"--microvm-hooks"}),
        (["local", "--", "gunic"], {FILES}),
        (["gunicorn", "x"], {FILES}),
    ],
)
def test_candidates(words: list[str], some: set[str]):
    """The last word of a line is completed with every valid word."""
    found = candidates(words)

    assert some <= set(found)
    assert all(word.startswith(words[-1]) or word == FILES for word in found)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("shell", "script"), [("bash", BASH), ("zsh", ZSH), ("fish", FISH)]
)
def test_shell(tmp_path: Path, shell: str, script: str):
    """A shell completes an option after it has read the script that is printed."""
    need(shell)
    path = f"{Path(sys.executable).parent}:{ENVIRON['PATH']}"

    done = subprocess.run(
        [shell, "-c", script],
        env={**ENVIRON, "PATH": path, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == ["--gateway"], done.stderr

"""Do what a page of docs/ says, or README: write its files, run its commands.

- A block with a ``title`` is a file, written to the shell's working directory.
- A ``console`` block has commands, each after ``$ ``, and below it what is printed;
  ``...`` stands for anything, and where nothing is shown, nothing is compared.
- ``<!-- serves: 9000 -->`` before a block: its command goes on, and is waited for until
  it listens on that port.
- ``<!-- not run: REASON -->`` before a block: it is not run, for one of ``REASONS``.

The ports that pages name are replaced by free ones: see ``PORTS``.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from tests.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PORTS = ("8080", "8081", "9000", "9001", "5678")
"""The application's, its other one, a gateway's, a Runtime API's, and a debugger's."""

REASONS = {
    *("needs AWS", "needs a container engine", "needs an application"),
    *("needs a release", "takes a quiet machine", "takes minutes"),
}
LOCAL = re.compile(
    r"lambda-adapter local(?! invoke| events| check| completion| --port| --help)"
)
BLOCK = re.compile(
    r"^(?:<!-- (?P<kind>serves|not run): (?P<detail>[^>]+?) -->\n)?"
    r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
MARK = "\N{SECTION SIGN}"
TIME_LIMIT = 300
"""Seconds for a page, which may install packages."""

PRELUDE = """\
ended() {{ printf '\\n{mark}%s\\n' "$1"; if [ "$1" != 0 ]; then exit "$1"; fi; }}
listening() {{
    timeout 30 bash -c "until (: </dev/tcp/127.0.0.1/$1) 2>&-; do :; done"
}}
"""


class PageError(Exception):
    """A command of a page failed, or printed something else than the page shows."""


class Step(NamedTuple):
    """One thing to do, in bash, and the lines that it prints, if the page shows any."""

    says: str
    script: str
    expected: list[str]


def steps(markdown: str) -> list[Step]:
    """Return what a page says to do.

    Raises:
        PageError: a block is not run for a reason that is none.
    """
    found: list[Step] = []
    for block in BLOCK.finditer(markdown):
        kind, detail, language, title, text = block.groups()
        if kind == "not run":
            if detail not in REASONS:
                raise PageError(f"not run, because it {detail!r}")
        elif title:
            found.append(Step(title, f"cat >{title} <<'{MARK}'\n{text}{MARK}\n", []))
        elif language == "console":
            found.extend(_commands(text, detail))
    return found


def _commands(text: str, port: str | None) -> list[Step]:
    found: list[Step] = []
    for command in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = command.splitlines()
        length = next(n for n, line in enumerate(lines, 1) if not line.endswith("\\"))
        script = "\n".join(lines[:length])
        if port:
            served = f"{script} >served.log 2>&1 &\nlistening {port}\n"
            found.append(Step(script, served, []))
        else:
            found.append(Step(script, f"{script}\n", lines[length:]))
    return found


def run(markdown: str, directory: Path, environ: Mapping[str, str]) -> None:
    """Do what a page says, from a directory on.

    Raises:
        PageError: a command failed, or printed something else.
    """
    free = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    markdown = re.sub(rf"\b({'|'.join(PORTS)})\b", lambda port: free[port[0]], markdown)
    # The defaults of the local Lambda, which a page does not name.
    markdown = LOCAL.sub(rf"\g<0> --port {free['9000']}", markdown)
    environ = {"PORT": free["8080"], **environ}
    todo = steps(markdown)
    script = PRELUDE.format(mark=MARK) + "".join(
        f"{step.script}ended $?\n" for step in todo
    )
    printed = _bash(script, directory, environ)
    for step, output in zip(todo, printed, strict=False):
        if step.expected and not _fits(step.expected, output):
            shown = "\n".join(step.expected)
            raise PageError(f"$ {step.says}\n{output}\n-- but the page shows:\n{shown}")
    if len(printed) < len(todo) + 1:
        raise PageError(f"$ {todo[len(printed) - 1].says}\n{printed[-1]}")


def _bash(script: str, directory: Path, environ: Mapping[str, str]) -> list[str]:
    """Run a script, and return what each of its steps printed, and then what is left.

    A step that failed is the last one, its status behind what it printed.
    """
    log = directory / "printed"
    with log.open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-c", script],
            cwd=directory,
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            shell.wait(TIME_LIMIT)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
    text = log.read_text("utf-8", "replace")
    return re.split(rf"\n{MARK}0\n", text)


def _fits(expected: list[str], output: str) -> bool:
    """Tell whether the lines are those shown.

    ``...`` stands for anything within a line, and alone for any number of lines.
    """
    lines = [
        r"(?:.*\n)*?"
        if line == "..."
        else re.escape(line).replace(r"\.\.\.", ".*?") + r"\n"
        for line in "\n".join(expected).strip().split("\n")
    ]
    return re.fullmatch("".join(lines), output.strip() + "\n") is not None

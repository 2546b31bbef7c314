"""Read and run the commands that are typed while a MicroVM runs, one per line."""

import os

import trio

from lambda_adapter.local.microvm.machine import MicroVM, WrongStateError
from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.report import Report

STDIN = 0

BACKGROUND = 0.5
"""Seconds between two checks whether this process is in the foreground."""

COMMANDS = "suspend, resume, terminate"


async def read_commands(microvm: MicroVM, report: Report) -> None:
    """Run the command on each line of standard input, until its end."""
    if os.isatty(STDIN):
        report.notice(f"running; type {COMMANDS}, and Enter")
    rest = b""
    while data := await _read_word():
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if word := line.decode("utf-8", "replace").strip().lower():
                await _run_command(word, microvm, report)


async def _read_word() -> bytes:
    """Return what is typed, or nothing if standard input can't be waited for."""
    try:
        await trio.lowlevel.wait_readable(STDIN)
        while not _is_ours():  # the terminal would stop this process
            await trio.sleep(BACKGROUND)
            await trio.lowlevel.wait_readable(STDIN)
        return os.read(STDIN, 4096)
    except OSError:  # a file, /dev/null, or closed
        return b""


def _is_ours() -> bool:
    """Return whether standard input is this process's to read."""
    return not os.isatty(STDIN) or os.tcgetpgrp(STDIN) == os.getpgrp()


async def _run_command(word: str, microvm: MicroVM, report: Report) -> None:
    actions = {
        "suspend": microvm.suspend,
        "resume": microvm.resume,
        "terminate": microvm.terminate,
    }
    if word not in actions:
        report.notice(f"unknown command {word!r}: type {COMMANDS}")
        return
    try:
        await actions[word]()
    except WrongStateError as error:
        report.notice(f"{word}: {error}")
    except SetupError:  # the MicroVM has ended with it, which is reported
        return

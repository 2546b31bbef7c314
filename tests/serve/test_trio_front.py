"""``trio_front``: as much of trio as the adapter uses."""

import subprocess
import sys

from lambda_adapter import __version__

WATCHED = """
import sys

STARTS = {"os.exec", "os.fork", "os.posix_spawn", "os.system", "subprocess.Popen"}

def watch(event, arguments):
    if event in STARTS:
        print(event, *arguments)

sys.addaudithook(watch)
from lambda_adapter.cli import main

sys.argv = ["lambda-adapter", "--version"]
status = main()
import trio

sys.exit(status)
"""
"""Prints which processes are started while everything is imported that serves."""


def run(code: str, *arguments: str, **environ: str) -> str:
    """Run a program in a Python of its own, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout


def test_no_process_is_started():
    """Importing what serves the application starts no process."""
    assert run(WATCHED) == f"lambda-adapter {__version__}\n"

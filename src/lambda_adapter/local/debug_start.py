"""Run a Python program once a debugger is attached: ``local --debug``.

``python debug_start.py PORT (-m MODULE | -c CODE | FILE) ARGUMENT...``. It runs in the
application's own interpreter, which has debugpy but perhaps not the adapter. So it
imports nothing from the adapter.
"""

import os
import runpy
import select
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

POLL = 0.1
"""Seconds between two checks of standard input."""

TICK = 0.01
"""Seconds between two attempts to end the wait."""


def main() -> None:
    """Wait for a debugger to attach, or for Enter, then run the program.

    Raises:
        SystemExit: debugpy is not installed.
    """
    port, *words = sys.argv[1:]
    try:
        import debugpy
    except ImportError:
        raise SystemExit(
            f"--debug needs debugpy for {sys.executable}: pip install debugpy"
        ) from None
    debugpy.listen(("127.0.0.1", int(port)))
    print(
        f"debugger  waits for a client on 127.0.0.1:{port};"
        " Enter continues without one",
        flush=True,
    )
    connected = threading.Event()
    threading.Thread(
        target=cancel_on_enter, args=(debugpy.wait_for_client.cancel, connected)
    ).start()
    debugpy.wait_for_client()
    connected.set()
    if not debugpy.is_client_connected():
        sys.breakpointhook = sys.__breakpointhook__  # pdb, in the terminal
    run_program(words)


def cancel_on_enter(cancel: Callable[[], None], connected: threading.Event) -> None:
    """Stop waiting once a line is typed; leave later lines to the program."""
    while not connected.is_set():
        if select.select([0], [], [], POLL)[0]:
            line = b""
            while not line.endswith(b"\n"):
                byte = os.read(0, 1)
                if not byte:
                    return  # nobody is at the terminal: only a client counts
                line += byte
            # Until the main thread waits, there is nothing to cancel.
            while not connected.wait(TICK):
                with suppress(RuntimeError):
                    cancel()
                    return


def run_program(words: list[str]) -> None:
    """Run a program as the interpreter would, without a trace of this file."""
    if not sys.flags.safe_path:
        del sys.path[0]
    option, *rest = words
    if option == "-m":
        sys.argv = rest
        _put_first_on_path("")
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif option == "-c":
        sys.argv = ["-c", *rest[1:]]
        _put_first_on_path("")
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102
    else:
        sys.argv = words
        _put_first_on_path(os.path.dirname(os.path.abspath(option)))
        runpy.run_path(option, run_name="__main__")


def _put_first_on_path(folder: str) -> None:
    if not sys.flags.safe_path:
        sys.path.insert(0, folder)


if __name__ == "__main__":
    main()

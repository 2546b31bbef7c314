"""Record each call of a function of the adapter, if ``bench.way`` asks for it.

Python imports a module of this name when it starts, and ``bench.way`` puts this
directory onto PYTHONPATH. A coroutine or a generator is recorded once, when it begins,
and not each time it is resumed.
"""

import os
import sys
import threading
import time
from types import FrameType

PACKAGE = "lambda_adapter."

AGAIN = 3
"""The bits of RESUME's argument that are 0 at the start of a function, and not after a
``yield`` or ``await``: https://docs.python.org/3/library/dis.html#opcode-RESUME"""


def trace(directory: str) -> None:
    """Append a line for each call to this process's file: time, module, function.

    The time is CLOCK_MONOTONIC's, in nanoseconds.
    """
    file = os.open(f"{directory}/{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def profile(frame: FrameType, event: str, _: object) -> None:
        name = str(frame.f_globals.get("__name__"))
        code = frame.f_code
        if event != "call" or not name.startswith(PACKAGE):
            return
        if not code.co_code[frame.f_lasti + 1] & AGAIN:
            call = f"{name.removeprefix(PACKAGE)} {code.co_qualname}"
            os.write(file, f"{time.monotonic_ns()} {call}\n".encode())

    threading.setprofile(profile)
    sys.setprofile(profile)


if found := os.environ.get("BENCH_TRACES"):
    trace(found)

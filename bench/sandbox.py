"""``python -m bench.sandbox``: what the sandbox costs, and how exactly it limits.

Three measurements, each with namespaces and, as on machines that forbid them, without:

- *start*: from exec to the program's first byte, beside the same without a sandbox.
- *CPU*: the share that two busy threads get, of the share that their memory size has.
- *memory*: how far, and for how long, a growing program gets beyond its limit. It
  touches a megabyte at a time, and notes when, in memory shared with this process.

After SIGKILL the program runs no instruction. Its end comes once the kernel has freed
its memory, which takes longer the more there is, and is the kernel's time.
"""

import argparse
import contextlib
import mmap
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from statistics import median
from struct import unpack_from

from lambda_adapter.local.sandbox.jail import Jail
from lambda_adapter.local.sandbox.limits import Limits

Found = dict[str, list[float]]
"""The values of each figure, by what it is of."""

FIGURES = ("of the limit", "ms to SIGKILL", "ms to the end")
SIZES = (128, 512, 1_024)
RATES = (0, 1_000, 100)
"""Megabytes per second by which the memory grows; 0 for as fast as it can."""

BUSY = """
import threading, time
until = time.monotonic() + 4
def work():
    while time.monotonic() < until: sum(range(1000))
threads = [threading.Thread(target=work) for _ in range(2)]
began, used = time.monotonic(), time.process_time()
for thread in threads: thread.start()
for thread in threads: thread.join()
print((time.process_time() - used) / (time.monotonic() - began))
"""

GROWING = """
import ctypes, mmap, struct, sys, time
note = mmap.mmap(int(sys.argv[1]), 65_536)
rate = int(sys.argv[2])
space = mmap.mmap(-1, 4_096 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
address = ctypes.addressof(ctypes.c_char.from_buffer(space))
rollup = open("/proc/self/smaps_rollup").read().split()
struct.pack_into("q", note, 0, int(rollup[rollup.index("Pss:") + 1]) * 1024)
begun = time.monotonic()
for number in range(4_096):
    ctypes.memset(address + (number << 20), 1, 1 << 20)
    struct.pack_into("q", note, 16 + 8 * number, time.monotonic_ns())
    struct.pack_into("q", note, 8, number + 1)
    while rate and time.monotonic() - begun < number / rate: pass
"""

FORBIDDEN = """
import ctypes, struct, sys, os
libc = ctypes.CDLL(None, use_errno=True)
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, 272)]
steps += [(0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7fff0000)]
code = b"".join(struct.pack("=HBBI", *step) for step in steps)
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, ctypes.byref(Program(4, code)), 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""

WITHOUT_UNSHARE = (sys.executable, "-c", FORBIDDEN)
"""Forbids unshare(2), as container engines do, and becomes another program."""

WAYS: dict[str, tuple[str, ...]] = {"namespaces": (), "no namespaces": WITHOUT_UNSHARE}


@contextlib.contextmanager
def confined(
    command: list[str], limits: Limits, wrapper: tuple[str, ...], *kept: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a sandbox."""
    jail = Jail(limits, command, os.environ, None)
    process = subprocess.Popen(
        [*wrapper, *jail.wrap(command)],
        stdout=subprocess.PIPE,
        pass_fds=[*jail.passed, *kept],
    )
    try:
        jail.attach(process.pid)
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()
        jail.close()


def start(wrapper: tuple[str, ...] | None) -> float:
    """Return the milliseconds from exec to a program's first byte."""
    command = [sys.executable, "-c", "print('here')"]
    began = time.monotonic()
    if wrapper is None:
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            return (time.monotonic() - began) * 1e3
    with confined(command, Limits(memory_mb=3_538), wrapper) as process:
        assert process.stdout
        process.stdout.readline()
        return (time.monotonic() - began) * 1e3


def share(memory_mb: int, wrapper: tuple[str, ...]) -> float:
    """Return the CPU that busy threads got, in units of what their memory gives."""
    limits = Limits(memory_mb=memory_mb)
    with confined([sys.executable, "-c", BUSY], limits, wrapper) as process:
        assert process.stdout
        return float(process.stdout.read()) / limits.vcpu


def growth(
    memory_mb: int, rate: int, wrapper: tuple[str, ...]
) -> tuple[float, float, float]:
    """Return how a program ends that grows beyond its limit.

    Returns:
        Its last memory in units of the limit, the milliseconds from the limit to its
        last instruction, and those to its end.
    """
    shared = os.memfd_create("note")
    os.truncate(shared, 65_536)
    command = [sys.executable, "-c", GROWING, str(shared), str(rate)]
    limits = Limits(memory_mb=memory_mb)
    with confined(command, limits, wrapper, shared) as process:
        handle = os.pidfd_open(process.pid)
        select.select([handle], [], [])
        ended = time.monotonic_ns()
        os.close(handle)
    with mmap.mmap(shared, 65_536) as note:
        base, count = unpack_from("qq", note)
        times = unpack_from(f"{count}q", note, 16)
    os.close(shared)
    crossed = times[min(memory_mb - (base >> 20), count - 1)]
    last = (base >> 20) + count
    return last / memory_mb, (times[-1] - crossed) / 1e6, (ended - crossed) / 1e6


def starts(found: Found) -> None:
    """Measure a start each way, beside one without a sandbox."""
    for name, wrapper in {"no sandbox": None, **WAYS}.items():
        found.setdefault(f"start, {name}: ms", []).append(start(wrapper))


def shares(found: Found) -> None:
    """Measure the share of CPU for each memory size."""
    for name, wrapper in WAYS.items():
        for size in SIZES:
            case = f"CPU, {name}, {size} MB: of its share"
            found.setdefault(case, []).append(share(size, wrapper))


def ends(found: Found) -> None:
    """Measure the end for each memory size and rate of growth."""
    for name, wrapper in WAYS.items():
        for size in SIZES:
            for rate in RATES:
                case = f"memory, {name}, {size} MB, {rate or 'all'} MB/s"
                figures = growth(size, rate, wrapper)
                for what, value in zip(FIGURES, figures, strict=True):
                    found.setdefault(f"{case}: {what}", []).append(value)


PARTS = {"start": starts, "cpu": shares, "memory": ends}


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print a line for each figure: the median, and the extremes."""
    parser = argparse.ArgumentParser(prog="python -m bench.sandbox")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--part", choices=PARTS, action="append")
    options = parser.parse_args(arguments)
    found: Found = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for _ in range(options.rounds):
            for name in options.part or PARTS:
                PARTS[name](found)
    for case, values in found.items():
        low, high = min(values), max(values)
        print(f"{case:<58} {median(values):8.2f}  [{low:.2f} to {high:.2f}]")


if __name__ == "__main__":
    main()

"""``malloc``: keeping freed memory, and the C library's functions that do it."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambda_adapter.serve.malloc import call
from tests.adapter import open_adapter
from tests.catalogue import http_api
from tests.fake_runtime_api import open_fake_runtime_api

CHURN = """
import resource, sys

from lambda_adapter.serve.malloc import keep_freed

keep_freed(int(sys.argv[1]))
for number in range(16):
    if number == 8:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pieces = [bytes(60_000 + each) for each in range(int(sys.argv[2]) // 60_000)]
    whole = b"".join(pieces)
    del pieces, whole
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGE = 4_096
MB = 1_000_000


def faults(function_memory: int, size: int) -> float:
    """Return the page faults for each page of a body that comes eight times."""
    command = [sys.executable, "-c", CHURN, str(function_memory), str(size)]
    output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return int(output) / 8 / (size / PAGE)


@pytest.mark.parametrize(
    ("function_memory", "size"), [(128, 3 * MB), (256, 9 * MB), (10_240, 9 * MB)]
)
def test_freed_memory_is_used_again(function_memory, size):
    """Freed memory is used again, as much as the function can spare."""
    assert faults(function_memory, size) < 0.1


@pytest.mark.parametrize(
    ("function_memory", "size"), [(0, 40 * MB), (64, 12 * MB), (128, 20 * MB)]
)
def test_no_more_is_kept_than_can_be_spared(function_memory, size):
    """An eighth of the function's memory is kept; the rest is returned."""
    assert faults(function_memory, size) > 0.5


def page_faults(pid: int) -> int:
    """Return how many pages a process has been given since it began.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: minflt
    """
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[7])


async def test_large_bodies_take_no_new_pages():
    """A body of 2 MB, in and out, causes few page faults."""
    event = http_api("POST", "/echo", "a" * 2 * MB)
    async with (
        open_fake_runtime_api() as runtime,
        open_adapter(
            runtime.address, AWS_LAMBDA_FUNCTION_MEMORY_SIZE="1769"
        ) as adapter,
    ):
        for _ in range(20):
            await runtime.invoke(event)
        before = page_faults(adapter.process.pid)
        for _ in range(20):
            await runtime.invoke(event)
        taken = page_faults(adapter.process.pid) - before

    replies = [
        each.json()["body"] for each in runtime.posted if each.kind == "response"
    ]
    assert replies == [event["body"]] * 40
    assert taken / 20 < 2 * MB / PAGE / 2


def test_call():
    """A C function is called with the numbers, and its result is returned."""
    assert call("abs", -3) == 3


def test_no_such_function():
    """A function that the C library lacks is an AttributeError or an OSError."""
    with pytest.raises((OSError, AttributeError)):
        call("lambda_adapter")


def test_without_ctypes():
    """A Python without ``ctypes`` raises an ImportError."""
    program = (
        "import sys; sys.modules['_ctypes'] = None\n"
        "from lambda_adapter.serve.malloc import call\n"
        "try: call('abs', -3)\n"
        "except ImportError: print('none')"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert run.stdout == "none\n"

"""CPU, memory and the freeze."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lambda_adapter.local.sandbox.limits import Limits
from tests.local.sandbox.confined import confined

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="Linux has sandboxes"),
    pytest.mark.usefixtures("unmeasured"),
]

BUSY = """
import threading, time
until = time.monotonic() + 2
def work():
    while time.monotonic() < until: sum(range(1000))
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(time.process_time())
"""


@pytest.mark.parametrize("memory", [128, 512, 1_024])
def test_cpu_is_held_to_the_share(tmp_path: Path, memory: int):
    """Processes never get more CPU than their memory size allows."""
    limits = Limits(memory_mb=memory)

    with confined(BUSY, tmp_path, limits) as sandbox:
        used = float(sandbox.output())

    assert used <= 2 * limits.vcpu * 1.1 + 0.1  # its own start is not in the 2 s


def test_beyond_its_memory_it_is_killed(tmp_path: Path):
    """Processes that exceed the memory are killed, with a reason."""
    program = "x = []\nwhile True: x.append(b'x' * 1_000_000)"

    with confined(program, tmp_path, Limits(memory_mb=256)) as sandbox:
        sandbox.output()
        governor = sandbox.jail.governor
        status = sandbox.process.returncode

    assert governor is not None
    assert status == -9
    assert governor.killed.endswith("of 256 MB")
    assert 256 <= governor.peak_bytes / 1_048_576 < 256 * 1.5


def test_shared_memory_counts_once(tmp_path: Path):
    """Children that share their parent's memory do not count several times."""
    program = (
        "import os\n"
        "x = b'x' * 150_000_000\n"
        "children = [os.fork() for _ in range(1)]\n"
        "if children[0]: os.wait(); print('lives')\n"
        "else:\n"
        "    import time\n"
        "    until = time.monotonic() + 0.5\n"
        "    while time.monotonic() < until: pass\n"
        "    os._exit(0)\n"
    )

    with confined(program, tmp_path, Limits(memory_mb=256)) as sandbox:
        output = sandbox.output()

    assert output.strip() == "lives"


def test_freeze_and_thaw(tmp_path: Path):
    """Frozen processes stop, and continue at the thaw."""
    with confined("import signal; signal.pause()", tmp_path) as sandbox:
        governor = sandbox.jail.governor
        assert governor is not None
        process = psutil.Process(sandbox.process.pid)
        governor.freeze()
        while process.status() != psutil.STATUS_STOPPED:
            pass
        governor.thaw()
        while process.status() == psutil.STATUS_STOPPED:
            pass


def test_a_queue_for_the_processor_is_no_wait(tmp_path: Path):
    """Time in which the machine runs other programs is neither work nor a wait."""
    hog = "while True: pass"
    hogs = [
        subprocess.Popen([sys.executable, "-c", hog])
        for _ in range((os.cpu_count() or 1) + 2)
    ]
    try:
        # The one that is looked at gets a small part of what the others get.
        wrapper = ("nice", "-n", "19")
        program = "sum(range(300_000))"
        with confined(program, tmp_path, Limits(), wrapper=wrapper) as sandbox:
            sandbox.output()
            governor = sandbox.jail.governor
    finally:
        for each in hogs:
            each.kill()
            each.wait()

    assert governor is not None
    assert governor.queued_seconds > governor.waiting_seconds

"""Hundreds of thousands of invocations through one adapter, many of them ill-fated.

The law: none is lost, none has two replies or another's, and the adapter
is after all of them what it was before.
"""

import json
import os
import re
import signal
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import SystemRandom
from statistics import quantiles

import pytest
import trio
import trio.testing

from lambda_adapter.serve.malloc import MOST
from tests.adapter import memory, open_adapter
from tests.scripted_app import open_server
from tests.torture.soak import Soak

APP = [sys.executable, str(Path(__file__).parent / "soak_app.py")]
LOOPS = 8
LIMIT = 400
"""Seconds that are only there to end a soak which hangs."""

FREEZES = 5
TENTHS = 10
"""How often files and memory are looked at, all loops waiting."""

STILL = 0.1
"""MB by which memory may grow in a tenth that brings nothing new. A leak grows in every
one of them: by twice as much, if it is an object an invocation."""


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


async def freeze(*pids: int) -> None:
    """Stop processes for a moment, as Lambda does between invocations, and go on."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    await trio.testing.wait_all_tasks_blocked(0.1)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


async def freeze_at_times(soak: Soak, *pids: int) -> None:
    for number in range(1, FREEZES + 1):
        await soak.wait_answered(soak.many * number // (FREEZES + 1))
        await freeze(*pids)
        soak.freezes += 1


@pytest.mark.parametrize("mode", ["buffered", "response_stream"])
async def test_soak(long, capsys, tmp_path, mode):
    """Each invocation has one reply, its own, and one line in the log if it failed.

    No more files are open at one time than at another, but for what the loops may hold.
    Memory grows by steps, by what large bodies need that are there at the same time,
    and stands still between them. Amid it all, everything is frozen a few times.
    """
    many = 100_000 if long else 1_500
    seed = SystemRandom().randrange(10**6) if long else 1
    log, started = tmp_path / "log", time.monotonic()
    to_log = ("sh", "-c", f'exec "$@" 2>{log}', "sh")
    soak = Soak(many, mode, seed)
    files, memories = [], []
    with trio.fail_after(LIMIT):
        async with (
            open_server(soak.serve) as port,
            open_adapter(
                f"127.0.0.1:{port}",
                APP,
                adapter=(*to_log, sys.executable, "-m", "lambda_adapter"),
                AWS_LAMBDA_MAX_CONCURRENCY=str(LOOPS),
                AWS_LWA_INVOKE_MODE=mode,
            ) as adapter,
            trio.open_nursery() as nursery,
        ):
            pid = adapter.process.pid
            await soak.run_to(LOOPS)
            memories.append(memory(pid))
            nursery.start_soon(freeze_at_times, soak, pid, adapter.child())
            for tenth in range(1, TENTHS + 1):
                await soak.run_to(many * tenth // TENTHS)
                files.append(open_files(pid))
                memories.append(memory(pid))
            assert adapter.process.poll() is None
    lines = re.findall(r"ERROR (.*) RequestId: (.*)\n", log.read_text())
    if long:
        with capsys.disabled():
            print(
                f"\n{mode}: {many:,} invocations, {len(soak.failed):,} of them failed"
                f" {json.dumps(soak.faults)}, {FREEZES} freezes, {files} files,"
                f" {[round(each, 1) for each in memories]} MB,"
                f" {time.monotonic() - started:.0f} s, seed {seed}"
            )

    assert soak.wrong == []
    assert soak.freezes == FREEZES
    assert (soak.answered, soak.open) == (many, {})
    assert Counter(number for _, number in lines) == Counter(soak.failed)
    assert "Traceback" not in log.read_text()
    assert max(files) <= min(files) + LOOPS
    growths = [after - before for before, after in pairwise(memories)]
    assert quantiles(growths, n=4)[0] <= STILL
    assert max(memories) <= memories[0] + MOST

"""Does a check find what is wrong with an application, and leave healthy ones alone?"""

import os
from pathlib import Path

import pytest

from tests.zoo.run import check_all
from tests.zoo.specimens import DEFECTIVE, HEALTHY

SAMPLE = (
    *("disk_sqlite", "shm_pool", "closed_file", "memory_request", "port_ignored"),
    *("redirect_localhost", "response_large", "watchdog_thaw", "timers", "flask"),
)
"""One of each family; in CI, all of them are checked."""


@pytest.mark.e2e
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.timeout(600)
async def test_the_zoo(tmp_path: Path):
    """A check finds each application's defect first, and leaves healthy ones alone."""
    zoo = [each for each in (*DEFECTIVE, *HEALTHY) if each.is_here]
    chosen = zoo if "CI" in os.environ else [e for e in zoo if e.name in SAMPLE]

    outcomes = await check_all(chosen, tmp_path, quick=True)

    wrong = [
        f"{each.specimen.name}: {each.first} {each.error}"
        for each in outcomes
        if not each.good
    ]
    # Load makes a machine's clock a poor judge of one or two.
    assert len(wrong) <= len(outcomes) // 20, wrong
    assert len(outcomes) >= len(SAMPLE)

"""Does a check find what is wrong with an application, and leave healthy ones alone?"""

from pathlib import Path

import pytest

from tests.zoo.run import check_all
from tests.zoo.specimens import DEFECTIVE, HEALTHY

SAMPLE = (
    *("disk_sqlite", "shm_pool", "closed_file", "memory_request", "port_ignored"),
    *("redirect_localhost", "response_large", "watchdog_thaw", "timers", "flask"),
)
"""One of each family: all of them are ``make check-zoo``."""


@pytest.mark.e2e
@pytest.mark.timeout(600)
async def test_a_sample_of_the_zoo(tmp_path: Path):
    """A check finds each application's defect first, and leaves healthy ones alone."""
    chosen = [each for each in (*DEFECTIVE, *HEALTHY) if each.name in SAMPLE]

    outcomes = await check_all(chosen, tmp_path, quick=True)

    wrong = [
        f"{each.specimen.name}: {each.first} {each.error}"
        for each in outcomes
        if not each.good
    ]
    assert wrong == []
    assert len(outcomes) == len(SAMPLE)

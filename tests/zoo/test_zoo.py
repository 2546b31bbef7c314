"""Does a check find what is wrong with an application, and leave healthy ones alone?"""

import os
from pathlib import Path

import pytest

from tests.zoo.run import check_all
from tests.zoo.specimens import DEFECTIVE, HEALTHY

SAMPLE = (
    *("disk_sqlite", "disk_upload", "nginx_log", "shm_pool", "closed_file", "tmp_full"),
    *("memory_request", "start_crash", "port_ignored", "address_other", "host_refused"),
    *("readiness_404", "redirect_localhost", "cookie_domain", "response_large"),
    *("late_one_worker", "watchdog_thaw", "go_ticker", "java_file", "one_worker_php"),
    *("flask", "fastapi", "expressjs", "django"),
)
"""One of each family. `make check-zoo` has all of them."""


@pytest.mark.e2e
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.timeout(600)
async def test_the_zoo(tmp_path: Path):
    """A check finds each application's defect first, and leaves healthy ones alone."""
    zoo = [each for each in (*DEFECTIVE, *HEALTHY) if each.name in SAMPLE]
    assert len(zoo) == len(SAMPLE)
    chosen = [each for each in zoo if each.is_here or "CI" in os.environ]

    outcomes = await check_all(chosen, tmp_path, quick=True)

    wrong = [
        f"{each.specimen.name}: {each.first} {each.error}"
        for each in outcomes
        if not each.good
    ]
    # Load makes a machine's clock a poor judge of one or two.
    assert len(wrong) <= len(outcomes) // 20, wrong

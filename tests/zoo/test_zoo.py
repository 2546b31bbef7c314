"""Does a check find what is wrong with an application, and leave healthy ones alone?"""

import os
from pathlib import Path

import pytest

from tests.zoo.run import check_all
from tests.zoo.specimens import DEFECTIVE, HEALTHY


@pytest.mark.e2e
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.timeout(900)
async def test_the_zoo(tmp_path: Path):
    """A check finds each application's defect first, and leaves healthy ones alone."""
    zoo = (*DEFECTIVE, *HEALTHY)
    chosen = [each for each in zoo if each.is_here or "CI" in os.environ]

    # Fewer at once than alone on a machine: other tests run beside these.
    outcomes = await check_all(chosen, tmp_path, quick=True, at_once=10)

    wrong = [
        f"{each.specimen.name}: {each.first} {each.error}"
        for each in outcomes
        if not each.good
    ]
    # The other tests' load makes a machine's clock a poor judge of a few.
    assert len(wrong) <= len(outcomes) // 20, wrong

"""``lambda_check``, in a test of one's own."""

import sys
from pathlib import Path

import pytest

from lambda_adapter.local.pytest_plugin import ChecksApps

APPS = Path(__file__).parents[2] / "zoo/apps"


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("unmeasured")
def test_a_check_in_a_test(lambda_check: ChecksApps):
    """The fixture returns findings, and prints as the report."""
    found = lambda_check([sys.executable, "start_crash.py"], cwd=str(APPS))

    assert found.failed
    assert found.findings[0].kind == "start"
    assert "DATABASE_URL_OF_THE_ZOO" in repr(found)

"""The processes that tests start."""

import signal

import pytest

from tests.processes import Process


def test_none_outlives_a_failed_test():
    """A process ends with its block, if that fails."""
    with pytest.raises(LookupError), Process(["sleep", "1000"]) as process:
        raise LookupError

    assert process.returncode == -signal.SIGKILL

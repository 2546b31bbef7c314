"""What is said of requests, and which of it comes first."""

import pytest

from lambda_adapter.local.check.finding import failure, ordered
from lambda_adapter.local.check.rules.requests import judge_request_headers


@pytest.mark.parametrize(
    ("status", "is_refused"), [(200, False), (504, False), (431, True), (0, True)]
)
def test_large_headers(status: int, is_refused: bool):
    """A refusal is a finding; a late response says nothing about headers."""
    assert bool([*judge_request_headers(9_000, 200, status)]) == is_refused


def test_background_work_comes_before_what_it_makes_late():
    """What keeps the processor busy is named before the request that had to wait."""
    late = failure("request-failure", "GET / returns 504")
    busy = failure("idle-cpu", "uses 23% of a CPU")

    assert ordered([late, busy]) == [busy, late]

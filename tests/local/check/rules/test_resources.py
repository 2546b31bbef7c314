"""What grows with each request, and what happens once it has reached a limit."""

import pytest

from lambda_adapter.local.check.finding import Finding, failure, ordered, warning
from lambda_adapter.local.check.rules.resources import (
    Weight,
    judge_growth,
    without_effects_of_leaks,
)


def growing(last: int, kind: str) -> list[Weight]:
    """Return the weights of an application that keeps one thing for each request."""
    counts = {"descriptors": 10, "threads": 2, "processes": 1}
    return [
        Weight(n, 40, **(counts | {kind: counts[kind] + n}), tmp_mb=0)
        for n in range(0, last + 1, last // 10)
    ]


@pytest.mark.parametrize(
    ("kind", "leak"),
    [
        ("descriptors", "descriptor-leak"),
        ("threads", "thread-leak"),
        ("processes", "thread-leak"),
    ],
)
@pytest.mark.parametrize(("last", "status"), [(150, "warning"), (900, "failure")])
def test_leak(kind: str, leak: str, last: int, status: str):
    """A leak is a failure once it has nearly reached Lambda's limit."""
    found = {each.kind: each for each in judge_growth(growing(last, kind), 512)}

    assert found[leak].status == status


@pytest.mark.parametrize(
    ("leak", "effect"),
    [("descriptor-leak", "descriptors"), ("thread-leak", "processes")],
)
def test_effects_of_a_leak(leak: str, effect: str):
    """The limit that a leak has reached is no finding of its own."""
    reached = failure(effect, "reaches 1,024")
    other = failure("request-failure", "GET / returns 500")
    grows = failure(leak, "grows")
    small = warning(leak, "grows")

    def kinds(*found: Finding) -> list[str]:
        return [each.kind for each in ordered(without_effects_of_leaks(found))]

    assert kinds(reached, other, grows) == [leak, "request-failure"]
    assert kinds(reached, small) == [effect, leak]

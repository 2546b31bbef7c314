"""What an application does around its requests."""

import pytest

from lambda_adapter.local.check.finding import Finding, passed
from lambda_adapter.local.check.rules.life import (
    GO,
    Idle,
    Thaw,
    ThreadUse,
    judge_idle,
    judge_thaw,
    judge_worker,
    without_late_work,
)
from lambda_adapter.local.check.rules.requests import judge_failed


def kinds(findings: list[Finding]) -> list[str]:
    return [f"{each.status} {each.kind}" for each in findings]


@pytest.mark.parametrize(
    ("process", "wakes", "servers", "expected"),
    [
        ("python3", 2.0, [], "pass idle-cpu"),
        ("python3 in asyncio", 1.0, [], "warning timers"),
        ("python3 in asyncio", 9.0, ["hypercorn"], "pass idle-cpu"),
        (GO, 9.0, [], "warning timers"),
        (GO, 0.0, [], "pass idle-cpu"),
        ("uvicorn", 10.0, ["uvicorn"], "pass idle-cpu"),
        ("uvicorn", 14.0, ["uvicorn"], "warning timers"),
        ("gunicorn", 14.0, ["gunicorn", "uvicorn"], "pass idle-cpu"),
        ("nginx", 2.0, ["nginx"], "pass idle-cpu"),
    ],
)
def test_main_threads(process: str, wakes: float, servers: list[str], expected: str):
    """A main thread that wakes up has timers, unless its server explains them."""
    in_loop = "asyncio" in process
    idle = Idle(1, 0, [ThreadUse(process, process, True, wakes, in_loop)], [], [])

    assert kinds(list(judge_idle(idle, servers))) == [expected]


def test_threads_and_connections_that_come_and_go():
    """Threads and connections that are opened again and again are background work."""
    threads = Idle(1, 0, [], [], [], started=["python3"])
    connects = Idle(1, 0, [], [], [], connects=["python3 to 10.0.0.1:6379"])
    compiler = Idle(1, 0, [], [], [], started=["java"])

    assert kinds(list(judge_idle(threads, []))) == ["warning timers"]
    (found,) = judge_idle(connects, [])
    assert found.seen == "connects: python3 to 10.0.0.1:6379"
    assert kinds(list(judge_idle(compiler, []))) == ["pass idle-cpu"]


@pytest.mark.parametrize(
    ("statuses", "left", "expected"),
    [
        ([0, 200], 2, "pass worker"),
        ([200], 1, "warning worker"),
        ([200], 0, "pass worker"),
        ([0, 0], 0, "failure worker"),
    ],
)
def test_workers(statuses: list[int], left: int, expected: str):
    """A worker that died is replaced; if not, that is a warning while others serve."""
    found = judge_worker("node", statuses, 25, left=left, before=2)

    assert kinds([found]) == [expected]


def test_work_that_is_due_at_the_thaw():
    """Work while idle explains a late request after a freeze, and precedes it."""
    late = Thaw("POST /", 200, 504, 6, "Error: Task timed out after 6.00 seconds")
    thaws = list(judge_thaw(3, [late], [], []))
    work = list(judge_idle(Idle(1, 0.5, [], [], []), []))

    assert kinds(thaws) == ["failure thaw"]
    assert kinds(list(without_late_work([*work, *thaws]))) == ["failure idle-cpu"]
    failed = [judge_failed("/", 504, "")]
    assert kinds(list(without_late_work([*work, *failed]))) == ["failure idle-cpu"]
    quiet = [passed("idle-cpu", "does nothing"), *thaws]
    assert list(without_late_work(quiet)) == quiet

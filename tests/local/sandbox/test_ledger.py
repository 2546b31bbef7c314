"""What the time of a start went to."""

from lambda_adapter.local.sandbox.ledger import Ledger


def test_a_wait():
    """Time that is neither work nor a queue is a wait."""
    ledger = Ledger()

    ledger.add(0.5, 0.3, 0.0)
    ledger.add(0.5, 0.5, 0.125)

    assert (ledger.waiting_seconds, ledger.queued_seconds) == (0.675, 0.125)


def test_a_queue_is_counted_at_its_end():
    """A queue of 2 s that is counted late is taken off earlier waits."""
    ledger = Ledger()
    for _ in range(4):
        ledger.add(0.5, 0.5, 0.0)

    ledger.add(0.5, 0.25, 1.75)

    assert (ledger.waiting_seconds, ledger.queued_seconds) == (0.75, 1.5)


def test_a_queue_beside_work_takes_nothing():
    """A queue beside a thread that works takes nothing off earlier waits."""
    ledger = Ledger()
    ledger.add(0.5, 0.5, 0.0)
    ledger.add(0.5, 0.0, 0.5)

    assert (ledger.waiting_seconds, ledger.queued_seconds) == (0.5, 0.0)

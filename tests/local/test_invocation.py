"""``invocation``: the history of invocations, which is bounded."""

from lambda_adapter.local.invocation import MAX_RECORDS, MAX_SIZE, History, Invocation


def test_order():
    """Invocations are numbered from 1, and the latest is first."""
    records = History()
    for _ in range(3):
        records.add(Invocation(b"{}"))

    assert [each.number for each in records] == [3, 2, 1]


def test_find():
    """An invocation is found by its number, as long as it is kept."""
    records = History()
    for _ in range(MAX_RECORDS + 1):
        records.add(Invocation(b"{}"))

    found = records.find(2)
    assert found
    assert found.number == 2
    assert records.find(1) is None


def test_size():
    """Large invocations push older ones out, and the latest always stays."""
    records = History()
    records.add(Invocation(b"{}"))
    records.add(Invocation(bytes(MAX_SIZE + 1)))

    assert [each.number for each in records] == [2]

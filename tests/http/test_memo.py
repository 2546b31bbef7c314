"""``memo``: a memory of what peers send all the time, with bounds."""

from lambda_adapter.http.memo import MAX_KNOWN, MAX_KNOWN_SIZE, memoize


def test_short_texts_are_remembered():
    """A memoized value is returned again for the same text."""
    known: dict[str, int] = {}

    assert memoize(known, "a" * MAX_KNOWN_SIZE, 1) == 1
    assert known.get("a" * MAX_KNOWN_SIZE) == 1


def test_long_texts_are_not():
    """The value of a long text is not kept: a few could fill the memory."""
    known: dict[bytes, int] = {}

    assert memoize(known, b"a" * (MAX_KNOWN_SIZE + 1), 1) == 1
    assert known == {}


def test_junk_does_not_stay():
    """A full table is emptied, so that later texts are kept as well."""
    known: dict[str, int] = {}

    for number in range(MAX_KNOWN + 1):
        memoize(known, str(number), number)

    assert known == {str(MAX_KNOWN): MAX_KNOWN}

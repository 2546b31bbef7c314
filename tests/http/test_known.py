"""``known``: a memory of what peers send all the time, with bounds."""

from lambda_adapter.http.known import MAX_KNOWN, MAX_KNOWN_SIZE, Known


def test_short_texts_are_remembered():
    """A value is returned, and is there again for its text."""
    known: Known[str, int] = Known()

    assert known.remember("a" * MAX_KNOWN_SIZE, 1) == 1
    assert known.get("a" * MAX_KNOWN_SIZE) == 1


def test_long_texts_are_not():
    """A long text is worked out each time: a few could fill the memory."""
    known: Known[bytes, int] = Known()

    assert known.remember(b"a" * (MAX_KNOWN_SIZE + 1), 1) == 1
    assert known == {}


def test_junk_does_not_stay():
    """A full memory forgets all, so that what comes later is remembered as well."""
    known: Known[str, int] = Known()

    for number in range(MAX_KNOWN + 1):
        known.remember(str(number), number)

    assert known == {str(MAX_KNOWN): MAX_KNOWN}

"""Field lines of a response, into the maps of a reply."""

from lambda_adapter.events.reply import (
    joined,
    listed,
    spelled_cookies,
    split_cookies,
)

PROBES = [(b"Vary", b"a"), (b"Link", b"\xe9"), (b"VARY", b"b"), (b"vary", b"a")]


def test_listed():
    """Every value stays, under the first spelling of its name, in order."""
    assert listed(PROBES) == {"Vary": ["a", "b", "a"], "Link": ["é"]}


def test_joined():
    """Duplicates are joined by commas, not lost."""
    assert joined(PROBES) == {"Vary": "a, b, a", "Link": "é"}


def test_split_cookies():
    """Cookies are taken out in whatever case their name is; they can't be joined."""
    fields = [(b"Set-Cookie", b"a=1, 2"), (b"a", b"b"), (b"SET-COOKIE", b"c=\xe9")]

    assert split_cookies(fields) == ([(b"a", b"b")], ["a=1, 2", "c=é"])


def test_spelled_cookies():
    """The first cookie's name is in lower case; no two names are the same."""
    names = spelled_cookies([str(number) for number in range(600)])

    assert next(iter(names)) == "set-cookie"
    assert len(names) == 512
    assert {name.lower() for name in names} == {"set-cookie"}

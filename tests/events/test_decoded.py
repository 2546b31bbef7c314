"""``decoded``: an event as Python's own types."""

import pytest

from lambda_adapter.events.decoded import DecodedEvent, decoded_event
from tests.catalogue import NAMES, load
from tests.events.examples import encode


@pytest.mark.parametrize("name", NAMES)
def test_objects(name):
    """An object is a mapping, and equal to what it was."""
    event = decoded_event(encode(load(name)))

    assert isinstance(event, DecodedEvent)
    assert dict(event) == load(name)
    assert event == load(name)
    assert repr(event) == repr(load(name))
    assert len(event) == len(load(name))


@pytest.mark.parametrize("payload", [b"[1]", b'"text"', b" 3", b"null"])
def test_others(payload):
    """All else is what it is."""
    assert decoded_event(payload) in ([1], "text", 3, None)


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        (b'"\xed\xa0\x80"', "\N{REPLACEMENT CHARACTER}" * 3),
        (b'{"a":"\xff"}', {"a": "\N{REPLACEMENT CHARACTER}"}),
        (b"[" * 200_000 + b"]" * 200_000, None),
        (b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}", {}),
        (b"no JSON", None),
        (b"{no JSON", {}),
    ],
    ids=["half surrogate", "no UTF-8", "deep", "deep object", "none", "no object"],
)
def test_odd_events(payload, event):
    """An event that can't be decoded as it is fails no application."""
    decoded = decoded_event(payload)

    assert (dict(decoded) if isinstance(decoded, DecodedEvent) else decoded) == event

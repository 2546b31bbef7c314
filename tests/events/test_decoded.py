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

"""Example events, and the command that prints them."""

import json

import pytest

from lambda_adapter.events.classify import classify
from lambda_adapter.events.http_event import HttpEvent
from lambda_adapter.local.gateways import GATEWAYS
from lambda_adapter.local.samples import KINDS, sample
from tests.local.terminal import open_terminal


@pytest.mark.parametrize("kind", KINDS)
def test_kind(kind: str):
    """Each example is what the adapter takes it for: a client's request, or not."""
    payload = json.dumps(sample(kind, "/a?b=1")).encode()

    found = classify(payload)

    assert isinstance(found.decode(payload), HttpEvent) == (kind in GATEWAYS)


def test_printed():
    """The command prints an example that is JSON."""
    with open_terminal("events", "http-api", "--path", "/a?b=1") as terminal:
        assert terminal.status() == 0

    event = json.loads("\n".join(terminal.lines))
    assert (event["rawPath"], event["rawQueryString"]) == ("/a", "b=1")


def test_list():
    """Without a kind, the command prints the kinds."""
    with open_terminal("events") as terminal:
        assert terminal.status() == 0

    assert terminal.lines == list(KINDS)

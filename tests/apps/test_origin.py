"""``origin``: where a request came from, and under which name."""

import pytest

from lambda_adapter.apps.origin import origin_of
from tests.apps.in_process import http_event, turn_of
from tests.catalogue import load


def origin(event):
    turn, request = turn_of(event)
    return origin_of(request, turn.event, "")


@pytest.mark.parametrize(
    ("host", "server"),
    [
        ("example.com", ("example.com", 443)),
        ("example.com:8443", ("example.com", 8443)),
        ("example.com:", ("example.com", 443)),
        ("[::1]", ("[::1]", 443)),
        ("[::1]:80", ("[::1]", 80)),
    ],
)
async def test_server(host, server):
    """A server is the host and the port that the client named."""
    assert origin(http_event(host=host)).server == server


async def test_scheme():
    """A scheme is what the gateway says, and http where it says nothing."""
    schemes = [
        origin(http_event(x_forwarded_proto=value)).scheme
        for value in ("http", "https", "gopher")
    ]
    alb = load("alb")
    del alb["headers"]["x-forwarded-proto"]

    assert schemes == ["http", "https", "http"]
    assert (origin(http_event()).scheme, origin(alb).scheme) == ("https", "http")


async def test_client_of_a_load_balancer():
    """A load balancer's client is the last one that it added."""
    event = load("alb")
    event["headers"]["x-forwarded-for"] = "9.9.9.9, 72.12.164.125"

    assert origin(event).client == "72.12.164.125"


async def test_client_can_not_be_forged():
    """What a client writes does not count where the event has its address."""
    assert origin(http_event(x_forwarded_for="9.9.9.9")).client == "203.0.113.7"

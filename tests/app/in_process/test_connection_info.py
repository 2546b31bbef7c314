"""``connection_info``: what applications are told of the client's connection."""

import pytest

from lambda_adapter.app.in_process.connection_info import (
    find_connection_info,
    source_ip,
)
from tests.app.calls import http_event, turn_of
from tests.catalogue import load
from tests.events.examples import encode, read


def origin(event):
    call, request = turn_of(event)
    return find_connection_info(request, call.event, "")


@pytest.mark.parametrize(
    ("host", "server"),
    [
        ("example.com", ("example.com", 443)),
        ("example.com:8443", ("example.com", 8443)),
        ("example.com:", ("example.com", 443)),
        ("[::1]", ("[::1]", 443)),
        ("[::1]:80", ("[::1]", 80)),
        ("[::1]:", ("[::1]", 443)),
        ("example.com:65535", ("example.com", 65535)),
        ("example.com:080", ("example.com", 80)),
        ("example.com:00000080", ("example.com", 80)),
        ("example.com:" + "0" * 5000 + "80", ("example.com", 80)),
        ("[v1.a]", ("[v1.a]", 443)),
        ("[v1.a:b]", ("[v1.a:b]", 443)),
        ("[v1.a:b]:080", ("[v1.a:b]", 80)),
    ],
)
async def test_server(host, server):
    """The server is the host and the port that the client named."""
    assert origin(http_event(host=host)).server == server


async def test_scheme():
    """The scheme is the gateway's, and http by default."""
    schemes = [
        origin(http_event(x_forwarded_proto=value)).scheme
        for value in ("http", "https", "gopher")
    ]
    alb = load("alb")
    del alb["headers"]["x-forwarded-proto"]

    assert schemes == ["http", "https", "http"]
    assert (origin(http_event()).scheme, origin(alb).scheme) == ("https", "http")


async def test_client_of_a_load_balancer():
    """A load balancer's client is the last address in X-Forwarded-For."""
    event = load("alb")
    event["headers"]["x-forwarded-for"] = "9.9.9.9, 72.12.164.125"

    assert origin(event).client == "72.12.164.125"


@pytest.mark.parametrize("name", ["alb", "sqs"])
async def test_no_client(name):
    """Where an event names no client, it is this machine, as behind a server.

    A load balancer's health check names none.
    """
    event = load(name)
    event.get("headers", {}).pop("x-forwarded-for", None)

    assert origin(event).client == "127.0.0.1"


async def test_client_can_not_be_forged():
    """A client's own header does not count if the event has its address."""
    assert origin(http_event(x_forwarded_for="9.9.9.9")).client == "203.0.113.7"


@pytest.mark.parametrize(
    "name", ["rest_api", "http_api", "http_api_v1", "function_url"]
)
def test_gateways(name):
    """API Gateway and function URLs name the client's address."""
    event = load(name)
    named = event["requestContext"].get("http") or event["requestContext"]["identity"]

    assert source_ip(read(encode(event))) == named["sourceIp"]


@pytest.mark.parametrize("name", ["alb", "vpc_lattice", "sqs", "rest_api_null_context"])
def test_others(name):
    """No other event has a client's address."""
    assert source_ip(read(encode(load(name)))) == ""


@pytest.mark.parametrize("context", [[], "x", {"http": 3}, {"identity": None}])
def test_odd_contexts(context):
    """A context of another shape has no client's address."""
    event = load("rest_api", requestContext=context)

    assert source_ip(read(encode(event))) == ""

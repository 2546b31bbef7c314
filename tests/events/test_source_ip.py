"""``source_ip``: the address that a gateway saw a request come from."""

import pytest

from lambda_adapter.events.source_ip import source_ip
from tests.catalogue import load
from tests.events.examples import encode, read


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
    """Other events do not."""
    assert source_ip(read(encode(load(name)))) == ""


@pytest.mark.parametrize("context", [[], "x", {"http": 3}, {"identity": None}])
def test_odd_contexts(context):
    """A context of another shape names nobody."""
    event = load("rest_api", requestContext=context)

    assert source_ip(read(encode(event))) == ""

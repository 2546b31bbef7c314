"""What gateways take of a reply."""

import pytest

from lambda_adapter.errors import ResponseTooLargeError
from lambda_adapter.events.alb import AlbEvent, AlbMultiValueEvent
from lambda_adapter.events.http_api import FunctionUrlEvent, HttpApiEvent
from lambda_adapter.events.limits import find_wide_fields, within_limit
from lambda_adapter.events.pass_through import PassThroughEvent
from lambda_adapter.events.rest_api import HttpApiV1Event, RestApiEvent
from lambda_adapter.events.vpc_lattice import VpcLatticeEvent
from lambda_adapter.http.messages import Response

LAMBDA = 6_291_556
REPLIES = {
    AlbEvent: 1_048_576,
    AlbMultiValueEvent: 1_048_576,
    FunctionUrlEvent: LAMBDA,
    HttpApiEvent: LAMBDA,
    HttpApiV1Event: LAMBDA,
    PassThroughEvent: LAMBDA,
    RestApiEvent: LAMBDA,
    VpcLatticeEvent: LAMBDA,
}
FIELDS = {
    AlbEvent: 32_768,
    AlbMultiValueEvent: 32_768,
    HttpApiEvent: 10_240,
    HttpApiV1Event: 10_240,
    RestApiEvent: 10_240,
}


@pytest.mark.parametrize(("kind", "most"), REPLIES.items())
def test_largest_reply(kind, most):
    """A reply may be as large as its source takes; one byte more is an error."""
    assert within_limit(kind, bytes(most)) == bytes(most)

    with pytest.raises(ResponseTooLargeError, match=f"{most + 1:,} bytes") as caught:
        within_limit(kind, bytes(most + 1))
    assert f"{most:,}" in str(caught.value)


def wide(size: int) -> Response:
    half = size // 2 - 1
    fields = [(b"a", b"x" * half), (b"b", b"x" * half)]
    return Response(200, b"OK", fields)


@pytest.mark.parametrize(("kind", "most"), FIELDS.items())
def test_widest_fields(kind, most):
    """Near the limit there is a warning that names it; before that there is none."""
    warning = find_wide_fields(kind, wide(int(most * 0.96)), most)

    assert warning is not None
    assert f"over {most:,}, the gateway responds with 5xx" in warning
    assert find_wide_fields(kind, wide(int(most * 0.94)), 10 * most) is None


@pytest.mark.parametrize("kind", REPLIES.keys() - FIELDS.keys())
def test_fields_without_a_limit(kind):
    """Where no limit is known, there is nothing to warn of."""
    assert find_wide_fields(kind, wide(1_000_000), 1_000_000) is None


def test_small_reply_is_not_counted():
    """Fields are part of the reply, so a small one can't hold too many."""
    assert find_wide_fields(RestApiEvent, wide(20_000), 9_000) is None

"""What settings change in a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.app.middleware.after_reply import AFTER_REPLY
from lambda_adapter.app.middleware.rewrite import (
    PREFIX_FIELD,
    refuse_hooks,
    renamed,
    rewrite,
    without_base_path,
)
from lambda_adapter.closed_paths import route_of
from lambda_adapter.config import Config
from lambda_adapter.errors import ClosedPathError
from lambda_adapter.events.headers import (
    LAMBDA_CONTEXT,
    REQUEST_CONTEXT,
    REQUEST_ID,
    TENANT_ID,
    TRACE_ID,
)
from lambda_adapter.http.messages import HOP_BY_HOP, Request
from lambda_adapter.setting_parsers import RESERVED
from tests.catalogue import http_api
from tests.events.examples import encode, request_of

FUNCTION_URL = "a.lambda-url.x.on.aws"
TOLD = (b"x-forwarded-prefix", b"/api")


def get(target: bytes, *fields: tuple[bytes, bytes]) -> Request:
    return Request(b"GET", target, [(b"host", b"a"), *fields])


@pytest.mark.parametrize(
    ("target", "rest"),
    [
        (b"/api/x", b"/x"),
        (b"/api", b"/"),
        (b"/api/", b"/"),
        (b"/api?a=/api", b"/?a=/api"),
        (b"/api/api/x", b"/api/x"),
        (b"/api//x", b"//x"),
    ],
)
def test_base_path_is_removed_once(target, rest):
    """The prefix is removed once, and X-Forwarded-Prefix has it."""
    request = without_base_path(get(target), b"/api")

    assert request == get(rest, TOLD)


@pytest.mark.parametrize(
    "target", [b"/apix", b"/x/api", b"/API/x", b"/", b"/ap?i=/api"]
)
def test_other_paths_stay(target):
    """A prefix of half a segment is not removed."""
    assert without_base_path(get(target), b"/api") == get(target)


@pytest.mark.parametrize("target", [b"/api/x", b"/x"])
@pytest.mark.parametrize("name", [b"X-Forwarded-Prefix", b"x_forwarded.prefix"])
def test_a_client_can_not_forge_the_prefix(target, name):
    """A client's own prefix header is removed, in any spelling."""
    forged = (name, b"/evil")

    request = without_base_path(get(target, forged), b"/api")

    assert forged not in request.fields


def test_authorization_takes_the_others_place():
    """The header is renamed in place; an earlier one of the new name is removed."""
    request = get(b"/", (b"X-Auth", b"token"), (b"Authorization", b"iam"), (b"b", b"c"))

    assert renamed(request, b"x-auth", b"authorization") == get(
        b"/", (b"authorization", b"token"), (b"b", b"c")
    )


def test_authorization_stays_without_the_other():
    """A request without the header to rename keeps its Authorization."""
    request = get(b"/", (b"Authorization", b"iam"))

    assert renamed(request, b"x-auth", b"authorization") == request


@pytest.mark.parametrize("name", [b"Authorization", b"authorization"])
def test_authorization_in_its_own_place(name):
    """A header that is renamed to its own name stays."""
    request = get(b"/", (name, b"token"))

    assert renamed(request, b"authorization", b"authorization") == request


@pytest.mark.parametrize("name", [b"X_Client", b"x.client", b"X-CLIENT"])
def test_no_client_forges_a_renamed_field(name):
    """A client's header that servers take for the new name is removed."""
    request = get(b"/", (name, b"forged"), (b"x-user", b"1"))

    assert renamed(request, b"x-user", b"x-client") == get(b"/", (b"x-client", b"1"))


def test_several_fields_are_renamed():
    """Each renamed header keeps its position; others stay."""
    config = Config(
        {
            "AWS_LWA_AUTHORIZATION_SOURCE": "x-auth",
            "AWS_LWA_RENAME_HEADERS": "x-user:x-client,x-none:x-kept",
        }
    )
    request = get(
        b"/",
        (b"X-User", b"1"),
        (b"x-client", b"old"),
        (b"x-auth", b"token"),
        (b"x-kept", b"3"),
        (b"x-user", b"2"),
    )

    assert rewrite(request, config) == get(
        b"/",
        (b"x-client", b"1"),
        (b"authorization", b"token"),
        (b"x-kept", b"3"),
        (b"x-client", b"2"),
    )


@given(target=st.binary(), value=st.binary())
def test_without_settings_nothing_changes(target, value):
    """Without a setting, a request is not rewritten."""
    request = get(target, (b"x-forwarded-prefix", value), (b"x-auth", value))

    assert rewrite(request, Config({})) is request


def test_both_settings():
    """The base path and the renamed header can be set together."""
    config = Config(
        {
            "AWS_LWA_REMOVE_BASE_PATH": "/api/",
            "AWS_LWA_AUTHORIZATION_SOURCE": "X-Auth",
        }
    )

    request = rewrite(get(b"/api/x", (b"x-auth", b"t")), config)

    assert request == get(b"/x", (b"authorization", b"t"), TOLD)


@pytest.mark.parametrize(
    "target",
    [
        b"/snapstart/after",
        b"/snapstart/before/?x=1",
        b"//SNAPSTART/./after",
        b"/x/..%2fsnapstart%2f%2561fter",
        b"/snapstart\\after;v=1?/",
        b"/\\x/snapstart/after%0a",
    ],
)
def test_hooks_are_closed(target):
    """A path that may reach a hook is refused, with any query."""
    hooks = [route_of("/snapstart/before"), route_of("/SnapStart/After/")]

    with pytest.raises(ClosedPathError) as caught:
        refuse_hooks(get(target), hooks)

    assert str(caught.value).startswith("it was refused: it may reach")
    assert " the hook /snapstart/" in str(caught.value)


@pytest.mark.parametrize("target", [b"/", b"/snapstart", b"/x?/snapstart/after"])
def test_other_paths_are_open(target):
    """A hook's path within a query, or half of it, is not refused."""
    refuse_hooks(get(target), [route_of("/snapstart/after")])


def test_hooks_are_closed_behind_the_base_path():
    """A path is refused for what the application would see of it."""
    settings = {
        "AWS_LWA_REMOVE_BASE_PATH": "/api",
        "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/after",
    }

    with pytest.raises(ClosedPathError):
        rewrite(get(b"/api/after"), Config(settings))


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        pytest.param(b"/api/after", b"/after", id="not the client's path"),
        pytest.param(b"/api/after/x?y", b"/after/x?y", id="nor one below it"),
        pytest.param(b"/api/api/after", None, id="the application's path"),
        pytest.param(b"/api/api/%61fter", None, id="in another spelling"),
        pytest.param(b"/api/x/..//api/after", None, id="through other segments"),
        pytest.param(b"/after", b"/after", id="another path"),
    ],
)
def test_only_what_the_application_sees_is_closed(target, seen):
    """With a base path, only the path that the application sees can be refused.

    The client's own path may be that of a hook, as long as it leads elsewhere.
    """
    settings = {
        "AWS_LWA_REMOVE_BASE_PATH": "/api",
        "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/api/after",
    }
    if seen is None:
        with pytest.raises(ClosedPathError):
            rewrite(get(target), Config(settings))
        return

    assert rewrite(get(target), Config(settings)).target == seen


@pytest.mark.parametrize("base_path", ["", "/api"])
@pytest.mark.parametrize("path", ["/snapstart/after\n", "//x/snapstart/after"])
@pytest.mark.parametrize("domain", ["a.execute-api.x.amazonaws.com", FUNCTION_URL])
def test_hooks_are_closed_to_events(domain, path, base_path):
    """A hook is closed however the gateway's event spells its path."""
    settings = {"AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/snapstart/after"}
    if base_path:
        settings["AWS_LWA_REMOVE_BASE_PATH"] = base_path
    event = http_api("POST", base_path + path)
    event["requestContext"]["domainName"] = domain
    request = request_of(encode(event))

    with pytest.raises(ClosedPathError):
        rewrite(request, Config(settings))


def test_no_owned_field_can_be_renamed():
    """A header that the adapter adds, drops or frames with can't be renamed."""
    owned = HOP_BY_HOP | {PREFIX_FIELD, AFTER_REPLY, TRACE_ID, LAMBDA_CONTEXT}
    owned |= {
        REQUEST_CONTEXT,
        REQUEST_ID,
        TENANT_ID,
        b"host",
        b"content-length",
        b"expect",
    }

    assert {name.decode() for name in owned} <= RESERVED

"""The context of an invocation, as the application gets it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.config import Config
from lambda_adapter.runtime.api import Invocation
from lambda_adapter.runtime.context import encode_env_config, encode_lambda_context
from tests.runtime.test_api import ARN, ID, INVOCATION

ENVIRON = {
    "AWS_LAMBDA_FUNCTION_NAME": "shop",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2024/06/04/[$LATEST]0123",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/shop",
}
ENV_CONFIG = encode_env_config(Config(ENVIRON))


def context_of(**values):
    """Return the context that the application gets for an invocation."""
    invocation = Invocation(ID, b"", **values)
    field = encode_lambda_context(invocation, ENV_CONFIG)
    assert re.fullmatch(rb"[ -~]*", field)
    return json.loads(field)


@given(
    document=st.sampled_from(["", "null", " null ", "{", "[]"]),
    text=st.text(st.characters(codec="latin-1")),
)
def test_lambda_context_is_never_null(document, text):
    """An event's request never has the context null, which marks SnapStart's hooks."""
    values = {"client_context": document, "cognito_identity": document}

    assert isinstance(context_of(**values, trace_id=text, tenant_id=text), dict)


def test_lambda_context():
    """The context has the keys and the nesting of the Rust adapter's."""
    context = json.loads(encode_lambda_context(INVOCATION, ENV_CONFIG))

    assert context == {
        "request_id": ID,
        "deadline": 1717505400123,
        "invoked_function_arn": ARN,
        "xray_trace_id": "Root=1-665f0c1a-0123;Sampled=1",
        "client_context": {"custom": {"a": 1}},
        "identity": {"cognitoIdentityId": "b"},
        "tenant_id": "blue",
        "env_config": {
            "function_name": "shop",
            "memory": 512,
            "version": "$LATEST",
            "log_stream": "2024/06/04/[$LATEST]0123",
            "log_group": "/aws/lambda/shop",
        },
    }


def test_lambda_context_at_least():
    """Values that Lambda does not send are null."""
    context = context_of()

    assert {name for name, value in context.items() if value is None} == {
        "client_context",
        "identity",
        "tenant_id",
        "xray_trace_id",
    }


@pytest.mark.parametrize("name", ["client_context", "cognito_identity"])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('{"custom": {"n": 5}}', {"custom": {"n": 5}}, id="number"),
        pytest.param("[1, null]", [1, None], id="list"),
        pytest.param('"x"', "x", id="string"),
        pytest.param('{"a": "\u00c3\u00a9"}', {"a": "é"}, id="utf-8"),
        pytest.param("", None, id="empty"),
        pytest.param("{", None, id="not-json"),
        pytest.param('{} , "env_config": {}', None, id="more-than-json"),
        pytest.param('"\u00e9"', None, id="not-utf-8"),
        pytest.param("[" * 1_000_000 + "]" * 1_000_000, None, id="deep"),
    ],
)
def test_lambda_context_json(name, text, value):
    """A client context is kept if it is JSON, and null otherwise.

    The text is what a header of these bytes is read as: latin-1.
    """
    key = "identity" if name == "cognito_identity" else name

    assert context_of(**{name: text})[key] == value


@given(
    text=st.text(st.characters(max_codepoint=255)),
    document=st.one_of(st.text(st.characters(max_codepoint=255)), st.just('{"a":1}')),
)
def test_lambda_context_is_a_field_value(text, document):
    """The context is always printable ASCII, and JSON with all keys."""
    context = context_of(
        function_arn=text,
        trace_id=text,
        client_context=document,
        cognito_identity=document,
        tenant_id=text,
    )

    assert context["invoked_function_arn"] == text
    assert context["tenant_id"] == (text or None)
    assert len(context) == 8


@pytest.mark.parametrize(
    ("memory", "number"), [("512", 512), ("", 0), ("lots", 0), ("-1", 0), ("٣", 0)]
)
def test_env_config(memory, number):
    """Where a variable is missing or odd, the context has an empty value."""
    config = json.loads(
        bytes(encode_env_config(Config({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory})))
    )

    assert config == {
        "function_name": "",
        "memory": number,
        "version": "",
        "log_stream": "",
        "log_group": "",
    }

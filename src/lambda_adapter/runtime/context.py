"""Encode the context of an invocation, for the header ``x-amzn-lambda-context``.

Keys and nesting are the same as in the AWS Lambda Web Adapter, so that an application
that reads them need not change.
"""

import msgspec

from lambda_adapter.config import Config
from lambda_adapter.http.messages import ascii_json
from lambda_adapter.runtime.api import Invocation

_NULL = msgspec.Raw(b"null")


class _EnvConfig(msgspec.Struct):
    function_name: str
    memory: int
    version: str
    log_stream: str
    log_group: str


class _LambdaContext(msgspec.Struct, gc=False):
    request_id: str
    deadline: int
    invoked_function_arn: str
    xray_trace_id: str | None
    client_context: msgspec.Raw
    identity: msgspec.Raw
    tenant_id: str | None
    env_config: msgspec.Raw


def encode_env_config(config: Config) -> msgspec.Raw:
    """Encode the part of the context that is the same for every invocation."""
    env_config = _EnvConfig(
        config.function_name or "",
        config.function_memory,
        config.function_version or "",
        config.log_stream or "",
        config.log_group or "",
    )
    return msgspec.Raw(msgspec.json.encode(env_config))


def encode_lambda_context(invocation: Invocation, env_config: msgspec.Raw) -> bytes:
    """Return the value of ``x-amzn-lambda-context``: JSON in printable ASCII."""
    context = _LambdaContext(
        invocation.request_id,
        invocation.deadline_ms,
        invocation.function_arn,
        invocation.trace_id or None,
        _json_or_null(invocation.client_context),
        _json_or_null(invocation.cognito_identity),
        invocation.tenant_id or None,
        env_config,
    )
    return ascii_json(msgspec.json.encode(context))


def _json_or_null(document: str) -> msgspec.Raw:
    """Return valid JSON unchanged, anything else as ``null``."""
    if not document:
        return _NULL
    raw = document.encode("latin-1")
    try:
        raw.decode()
        return msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NULL

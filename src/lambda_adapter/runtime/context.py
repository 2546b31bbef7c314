"""The context of an invocation, as an application reads ``x-amzn-lambda-context``.

Keys and nesting are those of the AWS Lambda Web Adapter, so that an application that
reads them need not change. Core: no I/O.
"""

from collections.abc import Mapping

import msgspec

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


def encode_env_config(environ: Mapping[str, str]) -> msgspec.Raw:
    """Encode the part of the context that is the same for every invocation.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    config = _EnvConfig(
        environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
        function_memory(environ),
        environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
        environ.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        environ.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
    )
    return msgspec.Raw(msgspec.json.encode(config))


def function_memory(environ: Mapping[str, str]) -> int:
    """Return how many MB the function has, 0 where nobody says."""
    memory = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    return int(memory) if memory.isascii() and memory.isdigit() else 0


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
    """Let any JSON through, and nothing that would break the JSON around it."""
    if not document:
        return _NULL
    raw = document.encode("latin-1")
    try:
        raw.decode()
        return msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _NULL

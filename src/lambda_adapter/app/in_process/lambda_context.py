"""The event and the context as AWS's Python runtime passes them to a handler.

https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

import json
import os
import sys
import time
from types import SimpleNamespace

import msgspec

from lambda_adapter.config import Config
from lambda_adapter.runtime.api import Invocation


def decoded_event(payload: bytes) -> object:
    """Return an event as Python's own types: nearly always a dict.

    An object that can't be decoded becomes an empty one.
    """
    # Decoded now, and not lazily by a subclass of dict: encoders written in C read a
    # dict without calling its methods, and would find it empty. That is 3 to 7 % of an
    # invocation (counted).
    decoded = _decode_event(payload)
    return {} if decoded is None and payload.lstrip()[:1] == b"{" else decoded


def _decode_event(payload: bytes) -> object:
    """Decode JSON; return None if it is invalid or nested too deeply.

    Lone surrogates, which UTF-8 can't encode, become U+FFFD.
    """
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        loaded: object = json.loads(payload.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return loaded


TRACE = "_X_AMZN_TRACE_ID"
"""Where X-Ray's SDK and other libraries look for the trace of an invocation:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-build"""


def export_trace(invocation: Invocation, function: "Function") -> None:
    """Set the environment variable of the trace, or remove it if there is no trace.

    Concurrent invocations have several traces, and it is not set.
    """
    if function.is_concurrent:
        return
    if invocation.trace_id:
        os.environ[TRACE] = invocation.trace_id
    else:
        os.environ.pop(TRACE, None)


class Function:
    """The values that are the same for all invocations of a function."""

    def __init__(self, config: Config) -> None:
        self.is_concurrent = config.is_concurrent
        self.name = config.function_name or ""
        self.version = config.function_version or ""
        self.memory = str(config.function_memory)
        self.log_group = config.log_group or ""
        self.log_stream = config.log_stream or ""


class LambdaContext:
    """An invocation's context."""

    __slots__ = ("_function", "_invocation")

    def __init__(self, invocation: Invocation, function: Function) -> None:
        self._invocation = invocation
        self._function = function

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self._function.name

    @property
    def function_version(self) -> str:
        """Its version."""
        return self._function.version

    @property
    def memory_limit_in_mb(self) -> str:
        """Its memory, in MB."""
        return self._function.memory

    @property
    def log_group_name(self) -> str:
        """Where its log goes."""
        return self._function.log_group

    @property
    def log_stream_name(self) -> str:
        """Where this environment's log goes."""
        return self._function.log_stream

    @property
    def aws_request_id(self) -> str:
        """The invocation's request ID."""
        return self._invocation.request_id

    @property
    def invoked_function_arn(self) -> str:
        """The function's ARN, as it was invoked."""
        return self._invocation.function_arn

    @property
    def tenant_id(self) -> str | None:
        """The tenant, if Lambda names one."""
        return self._invocation.tenant_id or None

    @property
    def client_context(self) -> object:
        """A mobile client's ``client``, ``custom`` and ``env``; or None."""
        said = _decode_context(self._invocation.client_context)
        if said is None:
            return None
        client = said.get("client")
        return SimpleNamespace(
            client=SimpleNamespace(**client) if isinstance(client, dict) else None,
            custom=said.get("custom"),
            env=said.get("env"),
        )

    @property
    def identity(self) -> object:
        """Cognito's identity, with ``cognito_identity_id`` and ``_pool_id``."""
        said = _decode_context(self._invocation.cognito_identity) or {}
        return SimpleNamespace(
            cognito_identity_id=said.get("cognitoIdentityId"),
            cognito_identity_pool_id=said.get("cognitoIdentityPoolId"),
        )

    def log(self, message: object) -> None:
        """Write a message to the log unchanged, on a separate line."""
        text = str(message)
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda's deadline, at least 0."""
        return max(int(self._invocation.deadline_ms - time.time() * 1000), 0)


def _decode_context(document: str) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(
            document.encode("latin-1"), type=dict[str, object] | None
        )
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None

"""What AWS's runtime gives a Python handler: the event as a mapping, and the context.

https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

import json
import time
from collections.abc import Iterator, Mapping
from types import SimpleNamespace

import msgspec

from lambda_adapter.config import Config
from lambda_adapter.runtime.api import Invocation


class DecodedEvent(Mapping[str, object]):
    """A JSON object that is decoded when it is first looked at; most never are.

    One that no reader of JSON can decode is empty.
    """

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._decoded: dict[str, object] | None = None

    def _decode(self) -> dict[str, object]:
        if self._decoded is None:
            decoded = _load(self._payload)
            self._decoded = decoded if isinstance(decoded, dict) else {}
        return self._decoded

    def __getitem__(self, key: str) -> object:
        return self._decode()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._decode())

    def __len__(self) -> int:
        return len(self._decode())

    def __repr__(self) -> str:
        return repr(self._decode())


def decoded_event(payload: bytes) -> object:
    """Return an event: a mapping for an object, which is what nearly all are."""
    if payload.lstrip()[:1] == b"{":
        return DecodedEvent(payload)
    return _load(payload)


def _load(payload: bytes) -> object:
    """Return what JSON says, None if it is nested too deeply or no JSON.

    Half surrogates, which are no UTF-8, become U+FFFD.
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


class Function:
    """What is the same for all invocations of a function."""

    def __init__(self, config: Config) -> None:
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
        """The invocation's request id."""
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
        """What a mobile client sent: ``client``, ``custom``, ``env``; or None."""
        said = _read(self._invocation.client_context)
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
        said = _read(self._invocation.cognito_identity) or {}
        return SimpleNamespace(
            cognito_identity_id=said.get("cognitoIdentityId"),
            cognito_identity_pool_id=said.get("cognitoIdentityPoolId"),
        )

    def get_remaining_time_in_millis(self) -> int:
        """Return how many milliseconds are left until Lambda's deadline, at least 0."""
        return max(int(self._invocation.deadline_ms - time.time() * 1000), 0)


def _read(document: str) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(
            document.encode("latin-1"), type=dict[str, object] | None
        )
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None

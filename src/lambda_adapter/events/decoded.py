"""An event as Python's own types, for applications that look into it. Core: no I/O."""

import json
from collections.abc import Iterator, Mapping

import msgspec


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

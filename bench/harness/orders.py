"""What the far end is told to do, and what it reports."""

from collections.abc import Sequence

import msgspec


class Order(msgspec.Struct, frozen=True):
    """So many invocations of these events, in turn; the next order goes on in them."""

    events: Sequence[bytes]
    count: int
    adapter: int
    """The adapter's process id."""
    asking: int = 1
    """How many have to ask for an event before the first one is handed out."""


class Report(msgspec.Struct):
    """When things happened, in nanoseconds of CLOCK_MONOTONIC, by invocations."""

    sent: list[int] = []
    """Just before the event was written."""
    replied: list[int] = []
    """When the last byte of its reply was read."""
    turnarounds: list[int] = []
    """From just before the 202 to having read the next ``/next``."""
    asked: int = 0
    """When the first ``/next`` of all was read."""
    adapter_cpu: int = 0
    """CPU time that the adapter had used then."""

    @property
    def times(self) -> list[float]:
        """Microseconds from each event to its reply."""
        pairs = zip(self.sent, self.replied, strict=True)
        return [(replied - sent) / 1e3 for sent, replied in pairs]

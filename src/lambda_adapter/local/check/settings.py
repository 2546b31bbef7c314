"""What a check is told."""

import msgspec

from lambda_adapter.http.messages import Fields


class Target(msgspec.Struct, frozen=True):
    """A request that is asked of the application."""

    path: str
    """Path and query, as sent."""
    method: str = "GET"
    fields: Fields = []
    body: bytes = b""

    @property
    def title(self) -> str:
        """Method and path, for people."""
        return f"{self.method} {self.path}"


class Pace(msgspec.Struct, frozen=True):
    """How long a check takes over its parts: seconds and counts."""

    init: float
    """Until it gives up that the application becomes ready."""
    request: float
    """Until a request is late."""
    freeze: float
    idle: float
    """For which nothing is asked, and everything is watched."""
    requests: int
    """That are sent to see what grows."""
    growth: float
    """For which they are sent at most."""
    stage: float
    """For a part of the check, beyond which the next one follows."""
    profile: bool
    """Whether a second start shows what the time of a start goes to."""
    crawl: int
    """Pages that are followed, at most, if no paths are given."""


QUICK = Pace(
    init=15,
    request=5,
    freeze=3,
    idle=2.4,
    requests=150,
    growth=8,
    stage=60,
    profile=False,
    crawl=10,
)
FULL = Pace(
    init=60,
    request=32,
    freeze=31,
    idle=5,
    requests=1_000,
    growth=120,
    stage=600,
    profile=True,
    crawl=50,
)


class CheckSettings(msgspec.Struct, frozen=True):
    """What is checked, and how."""

    pace: Pace = FULL
    gateways: tuple[str, ...] = ()
    """All of them if there are none."""
    targets: tuple[Target, ...] = ()
    """What to ask; if there is nothing, links are followed from /."""
    crawl: int | None = None
    tmp_mb: int = 512
    memory_mb: int = 512
    fixed_port: bool = False
    """Whether the application was told its port by who checks it."""
    monthly: int = 1_000_000
    """Requests a month that the costs are for."""

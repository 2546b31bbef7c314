"""The settings of a check."""

import msgspec

from lambda_adapter.http.messages import Fields


class Target(msgspec.Struct, frozen=True):
    """A request to send to the application."""

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
    """How thorough a check is: seconds and counts."""

    init: float
    """Seconds to wait until the application is ready."""
    request: float
    """Timeout of a request."""
    freeze: float
    idle: float
    """Seconds to watch without requests."""
    requests: int
    """Requests to send to see what grows."""
    growth: float
    """Most seconds to send them."""
    stage: float
    """Timeout of a stage, after which the next one begins."""
    profile: bool
    """Whether to profile a second start."""
    crawl: int
    """Most pages to visit by links, if no paths are given."""


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
    """What to check, and how."""

    pace: Pace = FULL
    gateways: tuple[str, ...] = ()
    """Empty for all."""
    targets: tuple[Target, ...] = ()
    """The requests to send; if empty, links are followed from /."""
    openapi: str = ""
    """The path at which the application serves its OpenAPI document, if given."""
    crawl: int | None = None
    tmp_mb: int = 512
    memory_mb: int = 512
    fixed_port: bool = False
    """Whether the user has chosen the application's port."""
    monthly: int = 1_000_000
    """Requests per month for the estimate of costs."""

"""What settings put around a seat at an application, once, and only where they are set.

Shell.
"""

import logging
from typing import NamedTuple

from lambda_adapter.apps.app import Seat
from lambda_adapter.config import Config
from lambda_adapter.events.event import Event
from lambda_adapter.events.http_event import HttpEvent
from lambda_adapter.observe.logs import log


class Seats(NamedTuple):
    """One seat, as requests of clients reach it and as other events do."""

    http: Seat
    other: Seat

    def of(self, kind: type[Event]) -> Seat:
        """Return the one that events of this kind reach."""
        return self.http if issubclass(kind, HttpEvent) else self.other


def with_settings(seat: Seat, config: Config) -> Seats:
    """Return the seat within all that the settings put around it."""
    if log.isEnabledFor(logging.DEBUG):
        from lambda_adapter.apps.shown import Shown

        seat = Shown(seat)
    if config.after_reply_path:
        from lambda_adapter.apps.after_reply import AfterReply

        seat = AfterReply(seat, config.after_reply_path)
    if config.traceparent:
        from lambda_adapter.apps.traced import Traced

        seat = Traced(seat)
    if config.error_status_codes:
        from lambda_adapter.apps.error_statuses import ErrorStatuses

        seat = ErrorStatuses(seat, config.error_status_codes)
    http = seat
    if (
        config.remove_base_path
        or config.authorization_source
        or config.renamed_headers
        or not config.request_context
        or config.hooks
    ):
        from lambda_adapter.apps.rewritten import Rewritten

        http = Rewritten(http, config)
    if config.enable_compression:
        from lambda_adapter.apps.compressed import Compressed

        http = Compressed(http)
    return Seats(http, seat)

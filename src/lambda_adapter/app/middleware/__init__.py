"""Build the middleware around a transport: one layer for each setting that needs it."""

import logging
from typing import NamedTuple

from lambda_adapter.app.app import Transport
from lambda_adapter.config import Config
from lambda_adapter.observe.logs import log


class Transports(NamedTuple):
    """The stacks around one transport: for clients' requests, and for other events."""

    http: Transport
    other: Transport


def build_stack(transport: Transport, config: Config) -> Transports:
    """Return the transport with the middleware that the settings require."""
    if log.isEnabledFor(logging.DEBUG):
        from lambda_adapter.app.middleware.request_log import RequestLog

        transport = RequestLog(transport)
    if config.after_reply_path:
        from lambda_adapter.app.middleware.after_reply import AfterReply

        transport = AfterReply(transport, config.after_reply_path)
    if config.traceparent:
        from lambda_adapter.app.middleware.traceparent import Traceparent

        transport = Traceparent(transport)
    if config.error_status_codes:
        from lambda_adapter.app.middleware.error_status import ErrorStatus

        transport = ErrorStatus(transport, config.error_status_codes)
    http = transport
    if (
        config.remove_base_path
        or config.authorization_source
        or config.renamed_headers
        or not config.request_context
        or config.hooks
    ):
        from lambda_adapter.app.middleware.rewrite import Rewrite

        http = Rewrite(http, config)
    if config.enable_compression:
        from lambda_adapter.app.middleware.compression import Compression

        http = Compression(http)
    other = transport
    if config.command_events:
        from lambda_adapter.app.middleware.command_events import CommandEvents

        other = CommandEvents(other)
    if config.warm_up:
        from lambda_adapter.app.middleware.warm_up import WarmUp

        other = WarmUp(other, config.warm_up, config.log_stream or "lambda-adapter")
    return Transports(http, other)

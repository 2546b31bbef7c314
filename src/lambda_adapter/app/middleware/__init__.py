"""Build the middleware around a transport: one layer for each setting that needs it.

Each module is imported only where its setting is on: a module costs a cold start 0.36
million instructions, and some need a library. The order of the lines is that of the
layers, from the transport outwards:

- ``RequestLog`` is innermost, so that it logs every request as the application gets it.
- ``AfterReply`` is within ``ErrorStatus``, which so never judges the second request.
- ``WarmUp`` is outermost for other events, since it replies without the application.
"""

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
    transport = _around_all(transport, config)
    return Transports(_around_http(transport, config), _around_other(transport, config))


def _around_all(transport: Transport, config: Config) -> Transport:
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
    return transport


def _around_http(transport: Transport, config: Config) -> Transport:
    if config.rewrites_requests:
        from lambda_adapter.app.middleware.rewrite import Rewrite

        transport = Rewrite(transport, config)
    if config.enable_compression:
        from lambda_adapter.app.middleware.compression import Compression

        transport = Compression(transport, config.function_memory)
    return transport


def _around_other(transport: Transport, config: Config) -> Transport:
    if config.command_events:
        from lambda_adapter.app.middleware.command_events import CommandEvents

        transport = CommandEvents(transport)
    if config.warm_up:
        from lambda_adapter.app.middleware.warm_up import WarmUp

        name = config.log_stream or "lambda-adapter"
        transport = WarmUp(transport, config.warm_up, name)
    return transport

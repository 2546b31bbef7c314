"""What a client is told when an application in this process fails. Core: no I/O."""

from lambda_adapter.apps.app import Turn
from lambda_adapter.errors import AppFailedError
from lambda_adapter.events.event import error_response
from lambda_adapter.http.messages import Response

LATE_WITHIN = "the application did not end its response in time"

STUCK = "this environment ends, so that no request is worked on behind the next client"

CLEAN_UP = 0.05
"""Seconds that an application has to end after it was given up: half of what is left,
by default, until Lambda's deadline."""


def failure_response(turn: Turn) -> Response:
    """Return the 500 of an application that raised or sent no whole response.

    It is a response like a server's, so that AWS_LWA_ERROR_STATUS_CODES sees it.
    """
    error = AppFailedError("the application failed")
    return error_response(error, turn.invocation.request_id)

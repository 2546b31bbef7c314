"""When to give an application up. Shell."""

import time

import trio

from lambda_adapter.runtime.api import Invocation

LONGEST = 900.0
"""Seconds that an invocation can last, whatever its deadline says:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"""


def find_deadline(invocation: Invocation, margin: float) -> float:
    """Return when to give the application up, by trio's clock.

    That is some seconds before Lambda's deadline, so that the client is still told, and
    Lambda does not end the whole environment. A deadline that makes no sense is none.
    """
    left = invocation.deadline_ms / 1000 - time.time()
    if not 0 < left < LONGEST:
        return trio.current_time() + LONGEST
    return trio.current_time() + max(left - margin, 0)

"""When to give an application up. Shell."""

import time

from lambda_adapter.apps.app import LONGEST
from lambda_adapter.runtime.api import Invocation


def find_deadline(invocation: Invocation, margin: float, now: float) -> float:
    """Return when to give the application up, by trio's clock.

    That is some seconds before Lambda's deadline, so that the client is still told, and
    Lambda does not end the whole environment. A deadline that makes no sense is none.
    """
    left = invocation.deadline_ms / 1000 - time.time()
    if not 0 < left < LONGEST:
        return now + LONGEST
    return now + max(left - margin, 0)

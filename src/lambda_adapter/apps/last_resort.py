"""The end of a process whose application does not let it end. Shell."""

import signal

LONGEST = 1.0
"""Seconds after which the process ends, whatever its application still does. Lambda
sends SIGKILL sooner, but other systems may not."""


def exit_within(seconds: float = LONGEST) -> None:
    """Have Linux end this process after this time, unless it has ended by itself.

    A task that swallows its cancellation, a thread that does not return or a function
    of ``atexit`` could keep it for good, and there is no child to be killed instead. A
    signal's default action needs no Python, which may be what hangs.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)

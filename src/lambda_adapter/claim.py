"""Which of two adapters serves, where an image holds it twice.

As the entry point it starts the application; in /opt/extensions Lambda starts it as
well, to be attached to an application that Lambda starts. With both, only the first may
ask for events. It claims that by a lock on the directory, which leaves no file behind
and ends with its process. Shell.
"""

from __future__ import annotations

import fcntl
import os

EXTENSIONS = "/opt/extensions"
"""Where Lambda looks for external extensions:
https://docs.aws.amazon.com/lambda/latest/dg/extensions-configuration.html"""


def claim(directory: str = EXTENSIONS) -> bool:
    """Try to become the adapter that serves events; the lock is held until exit.

    Where no extension can be, there is nobody else.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    except OSError:  # a file system without locks: then as if there were no other
        os.close(descriptor)
    return True

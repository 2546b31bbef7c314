"""The C library's allocator: how much of what is freed it keeps at hand.

A large body is many large blocks. glibc returns them to the system with every
invocation, and takes them back with the next one, at a page fault for every 4 KB: half
of the time that an invocation with a body of 1 MB takes (measured). Shell.
"""

import contextlib

from lambda_adapter.serve.libc import call

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""https://man7.org/linux/man-pages/man3/mallopt.3.html"""

SHARE = 8
"""The part of a function's memory that may be kept, as a divisor."""

MOST = 32
"""MB that are kept at the most, and enough for the largest event and reply. It is also
the largest ``M_MMAP_THRESHOLD`` that glibc takes."""


def keep_freed(function_memory: int) -> None:
    """Keep what is freed, as far as a function of so many MB can spare it.

    Functions that handle no large bodies are unaffected. With 0 MB, and
    without glibc, all stays as it is.
    """
    kept = min(function_memory // SHARE, MOST) * 1024 * 1024
    if not kept:
        return
    with contextlib.suppress(ImportError, OSError, AttributeError):  # no glibc
        call("mallopt", M_MMAP_THRESHOLD, kept)
        call("mallopt", M_TRIM_THRESHOLD, kept)
        # Each arena keeps as much, and each thread that allocates has one of its own.
        call("mallopt", M_ARENA_MAX, 1)

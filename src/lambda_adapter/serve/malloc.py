"""The C library's allocator: keeping freed memory, which saves page faults."""

from __future__ import annotations

import contextlib


def call(function: str, *arguments: int) -> int:
    """Call a function of the C library, and return what it returns.

    ``ctypes`` does no more than this for it, and takes 5 ms to import; what it is made
    of takes half of one (measured).

    Raises:
        OSError, AttributeError: there is no such function here.
        ImportError: this Python can't call any.
    """
    try:
        from _ctypes import call_function, dlopen, dlsym

        libc = dlopen("libc.so.6", 0)
    except (ImportError, OSError):  # another Python, or another C library than glibc
        import ctypes

        result: int = getattr(ctypes.CDLL(None), function)(*arguments)
    else:
        result = call_function(dlsym(libc, function), arguments)
    return result


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

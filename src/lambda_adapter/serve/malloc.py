"""Configure the C library's allocator to keep freed memory, which saves page faults."""

from __future__ import annotations

import contextlib


def call(function: str, *arguments: int) -> int:
    """Call a function of the C library, and return its result.

    This is all that ``ctypes`` would do, but that takes 5 ms to import; ``_ctypes``, on
    which it is built, takes 0.5 ms (measured).

    Raises:
        OSError, AttributeError: the C library lacks the function.
        ImportError: this Python lacks ``ctypes``.
    """
    try:
        from _ctypes import call_function, dlopen, dlsym

        libc = dlopen("libc.so.6", 0)
    except (ImportError, OSError):  # not CPython, or not glibc
        import ctypes

        result: int = getattr(ctypes.CDLL(None), function)(*arguments)
    else:
        result = call_function(dlsym(libc, function), arguments)
    return result


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""https://man7.org/linux/man-pages/man3/mallopt.3.html"""

SHARE = 8
"""Divisor: at most an eighth of a function's memory is kept."""

MOST = 32
"""Most MB to keep: enough for the largest event and reply, and also the largest
``M_MMAP_THRESHOLD`` that glibc accepts."""


def keep_freed(function_memory: int) -> None:
    """Keep freed memory, as much as a function with this many MB can spare.

    Functions that handle no large bodies are unaffected. With 0 MB, or without glibc,
    nothing changes.
    """
    kept = min(function_memory // SHARE, MOST) * 1024 * 1024
    if not kept:
        return
    with contextlib.suppress(ImportError, OSError, AttributeError):  # no glibc
        # Bodies above the first threshold would be mapped and unmapped one by one,
        # those below the second be given back when they are at the heap's end. Either
        # way, each page of the next body would cost a fault.
        call("mallopt", M_MMAP_THRESHOLD, kept)
        call("mallopt", M_TRIM_THRESHOLD, kept)
        # Every arena would keep that much, and each allocating thread gets its own one.
        call("mallopt", M_ARENA_MAX, 1)

"""The C library, for what Python has no function of its own for. Shell."""

from __future__ import annotations


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

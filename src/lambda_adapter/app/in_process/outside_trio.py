"""Call an application's synchronous code in trio's thread, as if trio did not run.

Such code may run coroutines on a loop of its own, by ``asyncio.run`` for example. anyio
and httpx ask sniffio which library runs, and trio has set its own name for this thread.
"""

from collections.abc import Callable
from typing import TypeVar

import sniffio

T = TypeVar("T")


def call_outside_trio(function: Callable[[], T]) -> T:
    """Call a function; sniffio finds no running library in it, unless it runs one."""
    library, sniffio.thread_local.name = sniffio.thread_local.name, None
    try:
        return function()
    finally:
        sniffio.thread_local.name = library

"""A thread that lives as long as a seat, for what applications keep in it. Shell."""

import queue
import threading
from collections.abc import Callable
from contextvars import copy_context


class Worker:
    """Runs one call after the other in its thread.

    ``close`` of an application's iterable has to run where the application ran, and
    Django's database connections are the thread's, so it is always the same one.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, call: Callable[[], None]) -> None:
        """Run a call, in a copy of the context that this one is made in."""
        context = copy_context()
        self._calls.put(lambda: context.run(call))

    def _run(self) -> None:
        while True:
            self._calls.get()()

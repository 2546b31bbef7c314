"""Restart the function when its sources change: ``--reload``.

What the function itself writes must never restart it, or it would restart for ever:
see ``source_files`` and ``own_writes``. If both are deceived, it stops after a few
restarts without a request in between.
"""

import os
from collections.abc import Awaitable, Callable, Iterable

import trio
from watchfiles import Change, awatch

from lambda_adapter.local.options import Options
from lambda_adapter.local.own_writes import OwnWrites
from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.report import Report
from lambda_adapter.local.session import Session
from lambda_adapter.local.source_files import sources_of

MOST = 3
"""Restarts in a row without a request."""

LOOK = 0.2
"""Seconds between two readings of the bytes that the processes have written."""

TICK = 200
"""Milliseconds after which the watching thread returns even without a change."""

TOGETHER = 100
"""Changes within so many milliseconds count as one edit."""


class Reload:
    """Restarts a function after edits."""

    def __init__(self, session: Session, options: Options, report: Report) -> None:
        self._session = session
        self._report = report
        top = os.path.abspath(options.cwd or ".")
        folders = (os.path.join(top, name) for name in options.reload_dir or ".")
        self._folders = [os.path.normpath(folder) for folder in folders]
        self._sources = sources_of(
            options.command, top, options.reload_include, options.reload_exclude
        )
        self._writes = OwnWrites(os.getpid(), lambda: session.function.logged)
        # Readings after a start, and at both ends of a request, separate its writes
        # from edits before and after it.
        session.function.initialised.append(self._look)
        session.function.begun.append(lambda _: self._look())
        session.function.listeners.append(lambda _: self._look())
        self._sources_at_first = frozenset(self._sources.find())
        self._suspects: set[str] = set()
        self._started_at = 0
        """Number of requests up to the last start."""
        self._restarts = 0
        self._requests = 0
        self._noticed: set[str] = set()

    async def run(self) -> None:
        """Start the function, and restart it after each edit, until cancelled.

        If it fails to start, that is printed, and the next edit starts it again.

        Raises:
            SetupError: a folder does not exist.
        """
        check_folders(self._folders)
        stop = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_set_when_cancelled, stop)
            nursery.start_soon(self._keep_account)
            edits = awatch(
                *self._folders,
                watch_filter=self._is_source,
                step=TOGETHER,
                stop_event=stop,
                rust_timeout=TICK,
                yield_on_timeout=True,
            )
            # The first result is empty, and shows that watching has begun: no edit
            # after the start of the application is missed.
            await anext(edits)
            await self._try(self._session.start)
            async for changes in edits:
                await self._take(changes)

    def _is_source(self, change: Change, path: str) -> bool:
        return path in self._sources

    async def _keep_account(self) -> None:
        while True:
            self._look()
            await trio.sleep(LOOK)

    def _look(self) -> None:
        self._writes.look()

    async def _take(self, changes: Iterable[tuple[Change, str]]) -> None:
        """Restart for changes from outside."""
        edited = [path for change, path in changes if not self._is_own(change, path)]
        names = sorted(map(_show_path, edited))
        if not names or not self._session.function.runs:
            # If it does not run, the next request starts it from the changed files.
            return
        if self._requests != (requests := self._session.function.records.count):
            self._requests, self._restarts = requests, 0
        more = f" and {len(names) - 1} more" if names[1:] else ""
        if self._restarts == MOST:
            self._report.notice(
                f"{names[0]}{more} changed, after {MOST} restarts without a request:"
                " the next request starts the application"
            )
            await self._session.function.stop()
            return
        self._restarts += 1
        self._report.notice(f"{names[0]}{more} changed: restarting")
        await self._try(self._session.restart)

    def _is_own(self, change: Change, path: str) -> bool:
        """Return whether the function itself has made a change."""
        # Nothing to run in an empty file: its content is the next change.
        if change == Change.added and _is_empty(path):
            return True
        if not self._writes.can_have_written(path):
            return False
        # The application wrote enough bytes at the time, but it may still be an edit.
        # So a source that existed at the start, and changes while requests are served,
        # counts as edited once.
        serves = self._session.function.records.count > self._started_at
        if serves and path in self._sources_at_first and path not in self._suspects:
            self._suspects.add(path)
            return False
        if path not in self._noticed:
            self._noticed.add(path)
            self._report.notice(
                f"{_show_path(path)} was written while the application itself wrote as"
                " much: no restart"
            )
        return True

    async def _try(self, start: Callable[[], Awaitable[None]]) -> None:
        self._started_at = self._session.function.records.count
        try:
            await start()
        except SetupError as error:
            self._report.failure(str(error))


def check_folders(folders: Iterable[str]) -> None:
    """Check that folders exist.

    Raises:
        SetupError: one does not.
    """
    for folder in folders:
        if not os.path.isdir(folder):
            raise SetupError(f"--reload-dir {folder}: there is no such folder")


def _show_path(path: str) -> str:
    return os.path.relpath(path)


def _is_empty(path: str) -> bool:
    try:
        return os.path.getsize(path) == 0
    except OSError:
        return False


async def _set_when_cancelled(stop: trio.Event) -> None:
    """End the watching thread immediately; by itself, it checks only every 5 s."""
    try:
        await trio.sleep_forever()
    finally:
        stop.set()

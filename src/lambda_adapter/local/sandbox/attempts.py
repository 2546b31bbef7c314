"""Record what processes tried that Lambda forbids, or that is worth knowing."""

import os.path
from collections.abc import Callable, Iterable, Sequence

import msgspec

_QUIET = ("/dev/null", "/dev/tty", "/dev/zero", "/dev/full", "/dev/urandom")
_BYTECODE = "/__pycache__/"
"""Python writes bytecode beside its sources if it can, and ignores a failure."""


class Write(msgspec.Struct, frozen=True):
    """A file or directory that a process would have changed."""

    path: str
    by: str
    """The name of the process."""


class Bind(msgspec.Struct, frozen=True):
    """An address that a process wanted to listen at."""

    host: str
    port: int
    by: str


class Connect(msgspec.Struct, frozen=True):
    """An address that a process connected to."""

    host: str
    port: int
    by: str
    datagram: bool = False


class Privilege(msgspec.Struct, frozen=True):
    """A system call that needs root."""

    call: str
    by: str


Attempt = Write | Bind | Connect | Privilege


class Attempts:
    """The attempts, each recorded once, in order."""

    def __init__(self, readonly: Sequence[str], home: str) -> None:
        self._readonly = readonly
        """Read-only paths below /tmp: the project, and what runs it."""
        self._home = home
        self.on_write: Callable[[Write], None] = lambda _: None
        """Called with each write that Lambda refuses, once, in the watcher's thread."""
        self.writes: dict[Write, int] = {}
        self.binds: dict[Bind, int] = {}
        self.connects: dict[Connect, int] = {}
        self.privileges: dict[Privilege, int] = {}

    def add(self, attempt: Attempt) -> None:
        """Record an attempt, unless Lambda allows it or it is harmless."""
        match attempt:
            case Write():
                # What lies behind a link to /tmp is allowed.
                if self.is_refused(attempt.path) and self.is_refused(
                    os.path.realpath(attempt.path)
                ):
                    if attempt not in self.writes:
                        self.on_write(attempt)
                    self.writes[attempt] = self.writes.get(attempt, 0) + 1
            case Bind():
                self.binds[attempt] = self.binds.get(attempt, 0) + 1
            case Connect():
                self.connects[attempt] = self.connects.get(attempt, 0) + 1
            case Privilege():
                self.privileges[attempt] = self.privileges.get(attempt, 0) + 1

    def is_refused(self, path: str) -> bool:
        """Return whether Lambda refuses to change a file."""
        if path in _QUIET or _BYTECODE in f"{path}/" or path.endswith(".pyc"):
            return False
        if is_below(path, "/dev"):
            return is_below(path, "/dev/shm")
        if is_below(path, "/proc") or is_below(path, "/sys"):
            return False
        if is_below(path, "/tmp"):
            return any(is_below(path, each) for each in self._readonly)
        return path.startswith("/")

    def shared_memory(self) -> list[Write]:
        """Return the writes to /dev/shm."""
        return [each for each in self.writes if is_below(each.path, "/dev/shm")]

    def home(self) -> list[Write]:
        """Return the writes to HOME."""
        return [each for each in self.writes if is_below(each.path, self._home)]

    def elsewhere(self) -> list[Write]:
        """Return the writes to the read-only disk."""
        others = {*self.shared_memory(), *self.home()}
        return [each for each in self.writes if each not in others]


def merged(several: Iterable[Attempts]) -> Attempts:
    """Merge the attempts of several environments of one application."""
    first, *others = several
    for other in others:
        first.writes.update(other.writes)
        first.binds.update(other.binds)
        first.connects.update(other.connects)
        first.privileges.update(other.privileges)
    return first


def is_below(path: str, directory: str) -> bool:
    """Return whether a path is a directory or below it."""
    directory = directory.rstrip("/")
    return path == directory or path.startswith(f"{directory}/")


def normal(path: str) -> str:
    """Return an absolute path without ``.``, ``..`` and repeated slashes."""
    return os.path.normpath(path)

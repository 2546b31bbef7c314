"""Becoming the application, or starting it as a child; and the lock of who serves it.

Where an image holds the adapter twice, as the entry point and in /opt/extensions, only
the first may ask for events. It takes a lock on the directory, which leaves no file
behind and ends with its process.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import errno
import fcntl
import os

from lambda_adapter.errors import AppStartError
from lambda_adapter.settings import ADAPTER_ONLY, PREFIX, SHARED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn


EXTENSIONS = "/opt/extensions"
"""Where Lambda looks for external extensions:
https://docs.aws.amazon.com/lambda/latest/dg/extensions-configuration.html"""


def acquire_lock(directory: str = EXTENSIONS) -> bool:
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


# ``signal`` takes 5 ms to import, for its enums; this is what it is made of.


class Child:
    """A started application.

    ``pidfd`` becomes readable when it ends (-1 where the system has no such thing), and
    ``start_error`` once it is clear whether its command could be executed.
    """

    def __init__(
        self, command: str, pid: int, start_error: int, wrapper: str | None = None
    ) -> None:
        self.command = command
        self.wrapper = wrapper
        self.pid = pid
        self.start_error = start_error
        try:
            self.pidfd = os.pidfd_open(pid)
        except (AttributeError, OSError):
            self.pidfd = -1

    def wait_executed(self) -> int:
        """Wait until the command is executed; return the errno if it can't be, or 0.

        That takes a few milliseconds.
        """
        with os.fdopen(self.start_error, "rb") as pipe:
            return int(pipe.read() or b"0")

    def send_signal(self, number: int) -> None:
        """Signal the application, unless it has ended."""
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return

    def wait_started(self) -> None:
        """Return once the command is executed; that takes it a few milliseconds.

        Raises:
            AppStartError: it can't be.
        """
        code = self.wait_executed()
        if code:
            from lambda_adapter.startup_failure import describe_start_error

            raise AppStartError(describe_start_error(self.command, code, self.wrapper))


def become(argv: list[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by the application: same pid, same exit status.

    Raises:
        OSError: the command can't be executed.
    """
    _restore_signals()
    _execute(argv, _as_given(environ))


def start(
    argv: list[str], environ: Mapping[str, str], wrapper: str | None = None
) -> Child:
    """Start the application as a child in a process group of its own.

    A ``wrapper`` is started in its place, with the application's command as arguments,
    and executes that: what Lambda's own wrapper scripts do.
    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper

    Lambda signals the adapter's process group; in another one, the application gets
    each signal once, from the adapter. The group never outlives the adapter, even one
    that was killed: it would hold the port that the next one needs.

    It stays in the adapter's session. The scheduler shares time between sessions first
    (https://man7.org/linux/man-pages/man7/sched.7.html, autogroup), and two of them
    cost a tenth of an invocation more on one core (measured).
    """
    reading, writing = os.pipe()  # closed by exec, so that silence means success
    lifeline = os.pipe()  # never closed: the end of this process does that
    pid = os.fork()
    if pid == 0:
        try:
            os.setpgid(0, 0)
            tie_group(os.getpid(), lifeline)
            _restore_signals()
            command = [wrapper, *argv] if wrapper else argv
            _execute(command, application_environ(environ))
        except OSError as error:
            os.write(writing, b"%d" % (error.errno or 0))
        finally:
            os._exit(127)
    os.close(writing)
    return Child(argv[0], pid, reading, wrapper)


def application_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what only the adapter reads.

    ``_LAMBDA_TELEMETRY_LOG_FD`` goes too: what it names is the adapter's own.
    """
    return {
        name: value
        for name, value in _as_given(environ).items()
        if name in SHARED
        or not (
            name.startswith(PREFIX)
            or name in ADAPTER_ONLY
            or name == "_LAMBDA_TELEMETRY_LOG_FD"
        )
    }


def _as_given(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what Python added to it, if it did.

    In the C locale it sets LC_CTYPE for all its children: https://peps.python.org/pep-0538/
    The kernel still has what it was given.
    """
    given = dict(environ)
    if given.get("LC_CTYPE") in {"C.UTF-8", "C.utf8", "UTF-8"}:
        try:
            with open("/proc/self/environ", "rb") as file:
                variables = file.read().split(b"\0")
        except OSError:  # no Linux
            return given
        if not any(variable.startswith(b"LC_CTYPE=") for variable in variables):
            del given["LC_CTYPE"]
    return given


def _execute(argv: list[str], environ: Mapping[str, str]) -> NoReturn:
    """Execute, looking the command up in the PATH of its own environment.

    A file that is no program and has no ``#!`` line is a shell script, as for a shell:
    https://pubs.opengroup.org/onlinepubs/9799919799/functions/exec.html
    """
    if not argv[0]:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    try:
        os.execvpe(argv[0], argv, environ)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        script = _find(argv[0], environ)
        with open(script, "rb") as file:
            if b"\0" in file.read(512):
                raise
        os.execve("/bin/sh", ["/bin/sh", script, *argv[1:]], environ)


def _find(command: str, environ: Mapping[str, str]) -> str:
    if "/" in command:
        return command
    places = [os.path.join(place, command) for place in os.get_exec_path(environ)]
    return next(place for place in places if os.access(place, os.X_OK))


def _restore_signals() -> None:
    """Undo what Python set at its start, which exec would hand on.

    https://docs.python.org/3/library/subprocess.html#subprocess.Popen (restore_signals)
    """
    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
    _signal.signal(_signal.SIGXFSZ, _signal.SIG_DFL)


def tie_group(group: int, lifeline: tuple[int, int]) -> None:
    """Have Linux kill a process group when its parent ends, in whatever way.

    PR_SET_PDEATHSIG would kill this process alone, and nothing that it starts. Here the
    group gets the signal that tells of input on a pipe, and that signal is SIGKILL:
    https://man7.org/linux/man-pages/man2/F_GETSIG.2const.html

    Nothing is ever written to the pipe, and exec closes it, so only the parent holds
    it. When the parent ends, Linux closes both ends, and closing the first signals the
    owner of the second. Their order is not defined, so the group owns both. If the
    parent has ended already, exec closes the last copies, which kills this process.
    """
    for end in lifeline:
        try:
            fcntl.fcntl(end, fcntl.F_SETOWN, -group)
            fcntl.fcntl(end, fcntl.F_SETSIG, _signal.SIGKILL)
            fcntl.fcntl(end, fcntl.F_SETFL, os.O_ASYNC)
        except (AttributeError, OSError):  # no Linux
            return

"""Execute the application, or start it as a child; and lock who serves its events.

If an image has the adapter twice, as the entry point and in /opt/extensions, only the
first may request events. It locks the directory itself, since such a lock leaves no
file behind and is released when the process exits, however that happens.
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

    Without the directory there can be no second adapter, so no lock is needed.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        # Another adapter holds the lock, and keeps it until it exits.
        os.close(descriptor)
        return False
    except OSError:  # a file system without locks: assume that there is no other
        os.close(descriptor)
    return True


# ``_signal`` instead of ``signal``, which takes 5 ms to import because of its enums.


class Child:
    """A started application.

    ``pidfd`` becomes readable when it exits (-1 on systems without pidfds), and
    ``start_error`` once it is known whether the command could be executed.
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
        """Wait a few milliseconds, until the command has been executed.

        Raises:
            AppStartError: the command can't be executed.
        """
        code = self.wait_executed()
        if code:
            from lambda_adapter.startup_failure import describe_start_error

            raise AppStartError(describe_start_error(self.command, code, self.wrapper))


def become(argv: list[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by the application, which keeps its pid and exit status.

    Raises:
        OSError: the command can't be executed.
    """
    _restore_signals()
    _execute(argv, _as_given(environ))


def start(
    argv: list[str], environ: Mapping[str, str], wrapper: str | None = None
) -> Child:
    """Start the application as a child, in its own process group.

    A ``wrapper`` is started instead, with the application's command as its arguments,
    and is expected to execute that, as Lambda's own wrapper scripts do.
    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper

    The group never outlives the adapter, even a killed one, since it would occupy the
    port that the next one needs.
    """
    # The child reports a failed exec through this pipe. A successful exec closes it, so
    # that reading nothing means success.
    reading, writing = os.pipe()
    lifeline = os.pipe()  # closed only when this process exits: see ``tie_group``
    # Not ``posix_spawn``, which can't tie the group, and not ``subprocess``, which
    # takes 8 ms to import (measured).
    pid = os.fork()
    if pid == 0:
        try:
            # Lambda signals the adapter's whole process group. In its own one, the
            # application gets each signal once, from the adapter. Not in its own
            # session: the scheduler divides CPU between sessions first (autogroup in
            # https://man7.org/linux/man-pages/man7/sched.7.html), and with two of them
            # an invocation takes a tenth longer on one core (measured).
            os.setpgid(0, 0)
            tie_group(os.getpid(), lifeline)
            _restore_signals()
            command = [wrapper, *argv] if wrapper else argv
            _execute(command, application_environ(environ))
        except OSError as error:
            os.write(writing, b"%d" % (error.errno or 0))
        finally:
            # Whatever happened, a second adapter must not go on in the child.
            os._exit(127)
    os.close(writing)
    return Child(argv[0], pid, reading, wrapper)


def application_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without the variables that only the adapter reads.

    ``_LAMBDA_TELEMETRY_LOG_FD`` is removed too: it names a descriptor of the adapter.
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
    """Return the environment without the LC_CTYPE that Python may have added.

    In the C locale Python sets it for all its children: https://peps.python.org/pep-0538/
    The kernel still has the original environment.
    """
    given = dict(environ)
    if given.get("LC_CTYPE") in {"C.UTF-8", "C.utf8", "UTF-8"}:
        try:
            with open("/proc/self/environ", "rb") as file:
                variables = file.read().split(b"\0")
        except OSError:  # not Linux
            return given
        if not any(variable.startswith(b"LC_CTYPE=") for variable in variables):
            del given["LC_CTYPE"]
    return given


def _execute(argv: list[str], environ: Mapping[str, str]) -> NoReturn:
    """Execute a command, looked up in the PATH of the given environment.

    Like a shell, run a file as a shell script if it is neither a binary nor has ``#!``:
    https://pubs.opengroup.org/onlinepubs/9799919799/functions/exec.html
    """
    if not argv[0]:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    try:
        os.execvpe(argv[0], argv, environ)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        script = _find_program(argv[0], environ)
        # A binary for another machine, or a truncated one: a shell would print garbage.
        with open(script, "rb") as file:
            if b"\0" in file.read(512):
                raise
        os.execve("/bin/sh", ["/bin/sh", script, *argv[1:]], environ)


def _find_program(command: str, environ: Mapping[str, str]) -> str:
    if "/" in command:
        return command
    places = [os.path.join(place, command) for place in os.get_exec_path(environ)]
    return next(place for place in places if os.access(place, os.X_OK))


def _restore_signals() -> None:
    """Restore the signals that Python ignores, which a program would inherit.

    https://docs.python.org/3/library/subprocess.html#subprocess.Popen (restore_signals)
    """
    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
    _signal.signal(_signal.SIGXFSZ, _signal.SIG_DFL)


def tie_group(group: int, lifeline: tuple[int, int]) -> None:
    """Make Linux kill a process group when its parent exits, however that happens.

    The group gets the signal that announces input on a pipe, and that signal is set to
    SIGKILL: https://man7.org/linux/man-pages/man2/F_GETSIG.2const.html

    Nothing is ever written to the pipe, and exec closes it, so only the parent keeps it
    open. When the parent exits, Linux closes both ends, and closing the first signals
    the owner of the second. Their order is undefined, so the group owns both. If the
    parent has already exited, exec closes the last copies, which kills this process.
    """
    # Not PR_SET_PDEATHSIG: that kills only this process, and nothing that it starts,
    # and it is reset by an exec of a program with more rights.
    for end in lifeline:
        try:
            fcntl.fcntl(end, fcntl.F_SETOWN, -group)
            fcntl.fcntl(end, fcntl.F_SETSIG, _signal.SIGKILL)
            fcntl.fcntl(end, fcntl.F_SETFL, os.O_ASYNC)
        except (AttributeError, OSError):  # not Linux
            return

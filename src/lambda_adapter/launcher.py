"""Starting the application: as this very process, or as a child of it.

Off Lambda the adapter becomes the application. On Lambda it starts the application
before anything else is imported, because from here on the two start side by side. Loads
nothing but builtins and ``os``. Shell.
"""

from __future__ import annotations

import errno
import os

from lambda_adapter.errors import AppStartError
from lambda_adapter.settings import ADAPTER_ONLY, PREFIX, SHARED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

PR_SET_PDEATHSIG = 1
"""https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html"""

SIG_DFL, SIGKILL, SIGPIPE, SIGXFSZ = 0, 9, 13, 25
"""https://man7.org/linux/man-pages/man7/signal.7.html, for x86-64 and ARM. The module
``signal`` has them too, and takes 5 ms to import."""


class Child:
    """A started application.

    ``pidfd`` becomes readable when it ends (-1 where the system has no such thing), and
    ``start_error`` once it is clear whether its command could be executed.
    """

    def __init__(self, command: str, pid: int, start_error: int) -> None:
        self.command = command
        self.pid = pid
        self.start_error = start_error
        try:
            self.pidfd = os.pidfd_open(pid)
        except (AttributeError, OSError):
            self.pidfd = -1

    def wait_started(self) -> None:
        """Return once the command is executed; that takes it a few milliseconds.

        Raises:
            AppStartError: it can't be.
        """
        with os.fdopen(self.start_error, "rb") as pipe:
            code = pipe.read()
        if code:
            raise AppStartError(describe_start_error(self.command, int(code)))


def become(argv: list[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process by the application: same pid, same exit status.

    Raises:
        OSError: the command can't be executed.
    """
    _restore_signals()
    _execute(argv, _as_given(environ))


def start(argv: list[str], environ: Mapping[str, str]) -> Child:
    """Start the application as a child in a process group of its own.

    Lambda signals the adapter's process group; in another one, the application gets
    each signal once, from the adapter. PR_SET_PDEATHSIG keeps it from outliving an
    adapter that was killed, and from holding the port that the next one needs.

    It stays in the adapter's session. The scheduler shares time between sessions first
    (https://man7.org/linux/man-pages/man7/sched.7.html, autogroup), and two of them
    cost a tenth of an invocation more on one core (measured).
    """
    parent = os.getpid()
    reading, writing = os.pipe()  # closed by exec, so that silence means success
    pid = os.fork()
    if pid == 0:
        try:
            os.setpgid(0, 0)
            _prepare_child(parent)
            _execute(argv, application_environ(environ))
        except OSError as error:
            os.write(writing, b"%d" % (error.errno or 0))
        finally:
            os._exit(127)
    os.close(writing)
    return Child(argv[0], pid, reading)


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


def describe_start_error(command: str, code: int) -> str:
    """Say which command can't be executed, why, and what to look at."""
    match code:
        case errno.ENOENT:
            advice = "is it in the image, on PATH, and does its #! line name a program?"
        case errno.EACCES:
            advice = "is it executable (chmod +x)?"
        case errno.ENOEXEC:
            advice = "is it for this architecture?"
        case _:
            advice = "it is the command after the adapter's own name"
    return (
        f"the application {command!r} can't be started: {os.strerror(code)}; {advice}"
    )


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
    import signal

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)


def _prepare_child(parent: int) -> None:
    """Restore signals, and have Linux kill this process when its parent ends.

    The application waits for this, so the C library's own ``signal`` spares it the 6 ms
    that Python's takes to import.
    """
    from lambda_adapter.libc import call

    try:
        call("prctl", PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    except (ImportError, OSError, AttributeError):  # no ctypes, or no Linux
        _restore_signals()
        return
    call("signal", SIGPIPE, SIG_DFL)
    call("signal", SIGXFSZ, SIG_DFL)
    if os.getppid() != parent:  # too late: it has ended already
        os._exit(1)

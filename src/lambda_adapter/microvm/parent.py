"""Run a MicroVM's application as a child: forward signals, and exit as it does.

Neither trio nor msgspec is loaded: hooks need only a socket, threads and one poll, and
the process lives as long as the MicroVM. The main thread sleeps in ``poll`` until a
signal arrives, also SIGCHLD; hooks have their own threads. As the MicroVM's first
process it also reaps orphans, which would stay zombies.
"""

import os
import select
import signal
from collections.abc import Mapping

from lambda_adapter import launcher
from lambda_adapter.config import Config
from lambda_adapter.launcher import Child
from lambda_adapter.microvm.hook_server import listen, serve
from lambda_adapter.microvm.hooks import Hooks
from lambda_adapter.microvm.notices import notice
from lambda_adapter.settings import SNAPSHOT_APP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

SECRET_VARIABLE = "LAMBDA_ADAPTER_HOOK_TOKEN"  # noqa: S105 - a name
"""The variable with the token that is in the requests of hooks."""

HANDED_ON = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH")
"""Signals to forward to the application."""

LAST_WORD = 1.0
"""Seconds to respond to ``terminate``, once the application has ended."""

EX_USAGE = 64
"""Exit status if a setting is wrong: sysexits.h."""


def run(argv: list[str], environ: Mapping[str, str], config: Config) -> int:
    """Start the application, serve hooks until it exits, and return its status."""
    port = config.microvm_hooks_port or 0
    for warning in config.warnings:
        notice(warning, "WARNING")
    try:
        listener = listen(port)
    except OSError as error:
        notice(f"AWS_LWA_MICROVM_HOOKS_PORT={port} can't be used: {error}", "ERROR")
        return EX_USAGE
    token = os.urandom(16).hex()
    given = {**environ, SECRET_VARIABLE: token}
    with Signals() as signals:
        child = launcher.start(argv, given, config.app_wrapper)
        code = child.wait_executed()
        if code:
            return _report_failed_start(child, code)
        has_library = SNAPSHOT_APP in environ
        hooks = Hooks(config, child, token, has_library=has_library)
        serve(listener, hooks)
        notice(f"the hooks of a MicroVM are served on port {port}")
        status = wait_ended(child, signals)
        hooks.ended.set()
    end_group(child.pid)
    hooks.answered.wait(LAST_WORD)
    return exit_as(status)


class Signals:
    """Receives signals through a pipe, so that none is lost between two waits."""

    def __enter__(self) -> "Self":
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        os.set_blocking(self._reading, False)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._numbers = [getattr(signal, name) for name in (*HANDED_ON, "SIGCHLD")]
        for number in self._numbers:
            signal.signal(number, lambda *_: None)
        self._poll = select.poll()
        self._poll.register(self._reading, select.POLLIN)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)

    def wait(self) -> list[int]:
        """Wait for signals, and return their numbers; SIGCHLD is one of them."""
        self._poll.poll()
        try:
            return list(os.read(self._reading, 256))
        except BlockingIOError:
            return []


def wait_ended(child: Child, signals: Signals) -> int:
    """Forward signals until the child exits; return its wait status."""
    while True:
        for number in signals.wait():
            if number != signal.SIGCHLD:
                child.send_signal(number)
        status = reap(child.pid)
        if status is not None:
            return status


def reap(pid: int) -> int | None:
    """Reap every child that has exited; return the status of ``pid`` if it has."""
    found: int | None = None
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if ended == 0:
            return found
        if ended == pid:
            found = status


def end_group(group: int) -> None:
    """Kill what the application left behind in its process group."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def exit_as(status: int) -> int:
    """Return the application's exit status, or end by the signal that ended it."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        if code:
            notice(f"the application exited with status {code}", "ERROR")
        return code
    number = -code
    notice(f"the application was ended by {_signal_name(number)}", "ERROR")
    if number not in {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number  # pid 1 can't be ended so


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _report_failed_start(child: Child, code: int) -> int:
    import errno

    from lambda_adapter.startup_failure import complain, describe_start_error

    complain(describe_start_error(child.command, code, child.wrapper))
    return 127 if code == errno.ENOENT else 126

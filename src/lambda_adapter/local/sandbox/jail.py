"""Put the adapter's command of one environment into a sandbox."""

import json
import os
import shutil
import socket
import stat
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import lambda_adapter
from lambda_adapter.local.sandbox import syscalls
from lambda_adapter.local.sandbox.attempts import Attempts, is_below
from lambda_adapter.local.sandbox.governor import Governor
from lambda_adapter.local.sandbox.limits import DESCRIPTORS, HOME, MOST_VCPU, Limits
from lambda_adapter.local.sandbox.watcher import Watcher

if TYPE_CHECKING:
    from lambda_adapter.local.sandbox.plan import Enforced, Plan

CONFINE = (sys.executable, "-P", "-m", "lambda_adapter.local.sandbox.confine")

MAX_ENTRIES = 20_000
"""Most files of a project to check for their permissions."""

_JAVA_OPTIONS = "JDK_JAVA_OPTIONS"
_TMP = "/tmp"
_SKIPPED = frozenset({".git", "node_modules", ".venv", "venv", "__pycache__"})


class Jail:
    """A sandbox for one process tree."""

    def __init__(
        self,
        limits: Limits,
        command: Sequence[str],
        environ: Mapping[str, str],
        cwd: str | None,
    ) -> None:
        self.limits = limits
        self._cwd = os.path.realpath(cwd or os.getcwd())
        kept = find_kept(command, environ, self._cwd)
        self.closed = find_closed(self._cwd)
        self._kept = [path for path in kept if path != _TMP]
        self._fresh = _TMP not in kept
        self.attempts = Attempts(self._kept, HOME)
        self.enforced: Enforced = {"by": [], "missing": []}
        self.governor: Governor | None = None
        self.pid = 0
        self._ours: socket.socket
        self._theirs: socket.socket

    def wrap(self, command: Sequence[str]) -> list[str]:
        """Return a command that confines itself and then executes another one."""
        self._ours, self._theirs = socket.socketpair()
        return [*CONFINE, str(self._theirs.fileno()), *command]

    def adapt(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return an environment in which Java sees the function's memory.

        Its virtual machine sizes its heap by the machine's, which on Lambda is the
        function's. https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html
        """
        adapted = dict(environ)
        if shutil.which("java", path=environ.get("PATH")):
            given = environ.get(_JAVA_OPTIONS, "")
            limit = f"-XX:MaxRAM={self.limits.memory_mb}m"
            adapted[_JAVA_OPTIONS] = f"{given} {limit}".strip()
        return adapted

    @property
    def passed(self) -> list[int]:
        """The descriptors to pass to the command."""
        return [self._theirs.fileno()]

    def attach(self, pid: int) -> None:
        """Let a started process confine itself, and wait until it has."""
        self._theirs.close()
        self.pid = pid
        plan: Plan = {
            "home": HOME,
            "tmp_mb": self.limits.tmp_mb,
            "fresh_tmp": self._fresh,
            "kept": self._kept,
            "closed": self.closed,
            "descriptors": DESCRIPTORS,
            "watch": True,
        }
        with self._ours:
            self._ours.sendall(json.dumps(plan).encode())
            text, listeners, _, _ = socket.recv_fds(self._ours, 65_536, 1)
        if text:
            self.enforced = json.loads(text)
        for listener in listeners:
            Watcher(listener, self.attempts).start()
        if not syscalls.IS_LINUX:
            self.enforced["missing"] += ["memory", "CPU by memory"]
            return
        share = max(self.limits.vcpu, self.limits.init_cpu or 0)
        self.governor = Governor(pid, self.limits.memory_mb, share)
        self.governor.start()
        if not self._fresh:
            self.enforced["missing"].append("a fresh /tmp: it is the project's own")

    def ready(self) -> None:
        """Record that init has ended."""
        if self.governor:
            self.governor.end_init(self.limits.vcpu)

    def let_end(self) -> None:
        """Lift the limits on CPU, so that processes end as fast as this machine can."""
        if self.governor:
            self.governor.end_init(MOST_VCPU)
            self.governor.thaw()

    def close(self) -> None:
        """End the governor."""
        if self.governor:
            self.governor.close()

    def tmp_used_mb(self) -> float:
        """Return the megabytes in the environment's own /tmp; 0 if it has none."""
        if "namespaces" not in self.enforced["by"] or not self._fresh:
            return 0
        try:
            found = os.statvfs(f"/proc/{self.pid}/root{_TMP}")
        except OSError:
            return 0
        return (found.f_blocks - found.f_bfree) * found.f_frsize / 1_048_576

    @property
    def described(self) -> str:
        """The limits that are enforced on this machine and those that are not."""
        by = self.enforced["by"]
        parts = [f"{self.limits.memory_mb} MB", f"{self.limits.vcpu:.2f} vCPU"]
        if "namespaces" in by:
            parts += ["read-only disk", f"/tmp of {self.limits.tmp_mb} MB"]
            parts += ["no /dev/shm", "user sbx_user1051", f"{DESCRIPTORS} files"]
        elif by:
            parts += [f"writes to /tmp alone ({', '.join(by)})"]
        line = f"sandbox  {', '.join(parts)}"
        if missing := self.enforced["missing"]:
            line += f"; not on this machine: {', '.join(missing)}"
        return line


def find_kept(
    command: Sequence[str], environ: Mapping[str, str], cwd: str
) -> list[str]:
    """Return the paths below /tmp that are needed to run a command."""
    here = os.path.dirname(os.path.dirname(lambda_adapter.__file__))
    wanted = [cwd, sys.prefix, sys.base_prefix, os.path.realpath(sys.executable), here]
    program = shutil.which(command[0], path=environ.get("PATH")) if command else None
    for word in [*command, program or ""]:
        if os.path.isabs(word) and os.path.exists(word):
            wanted += [word, os.path.realpath(word)]
            if os.path.basename(os.path.dirname(word)) == "bin":  # an environment
                wanted.append(os.path.dirname(os.path.dirname(word)))
    for name in ("PATH", "PYTHONPATH", "NODE_PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV"):
        wanted += environ.get(name, "").split(os.pathsep)
    found = {path for path in wanted if is_below(path, _TMP) and os.path.exists(path)}
    return sorted(
        path
        for path in found
        if not any(path != other and is_below(path, other) for other in found)
    )


def find_closed(directory: str) -> list[str]:
    """Return a project's files that only their owner may read, unlike Lambda's user."""
    closed: list[str] = []
    seen = 0
    waiting = [directory]
    while waiting and seen < MAX_ENTRIES:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            seen += 1
            if entry.is_symlink() or entry.name in _SKIPPED:
                continue
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                if mode & 0o5 == 0o5:
                    waiting.append(entry.path)
                else:
                    closed.append(entry.path)
            elif stat.S_ISREG(mode) and not mode & 0o4:
                closed.append(entry.path)
    return sorted(closed)

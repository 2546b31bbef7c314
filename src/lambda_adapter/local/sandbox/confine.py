"""``python -m lambda_adapter.local.sandbox.confine FD COMMAND...``: confine, execute.

It runs in the process that becomes the adapter. ``FD`` is one end of a pair of Unix
sockets: a ``Plan`` comes in, and what could be enforced goes out. Loads no library.
"""

import errno
import json
import os
import resource
import socket
import stat
import sys

from lambda_adapter.local.sandbox import seccomp, syscalls
from lambda_adapter.local.sandbox.plan import Enforced, Plan

UID, GID = 993, 990
"""The user and group observed on Lambda (lambci/docker-lambda#159)."""

_LANDLOCK_WRITES = 0b1_1111_1111_0010
"""All rights of Landlock's first version that change a file system; not reading."""


def main(argv: list[str]) -> None:
    """Read the plan, confine this process, report, and become the command."""
    channel = socket.socket(fileno=int(argv[1]))
    plan: Plan = json.loads(channel.recv(1 << 20))
    enforced = confine(plan)
    descriptors = []
    try:
        watched = plan["watch"] and syscalls.IS_LINUX
        program = seccomp.program(syscalls.machine()) if watched else b""
        if program:
            descriptors.append(syscalls.install_filter(program))
    except OSError as error:
        enforced["missing"].append(f"the names of files ({error.strerror})")
    socket.send_fds(channel, [json.dumps(enforced).encode()], descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    channel.close()
    os.environ["HOME"] = plan["home"]
    os.execvp(argv[2], argv[2:])


def confine(plan: Plan) -> Enforced:
    """Confine this process as far as the system allows; return what is enforced."""
    enforced: Enforced = {"by": [], "missing": []}
    try:
        if not syscalls.IS_LINUX:
            raise OSError(errno.ENOSYS, "this is not Linux")
        _with_namespaces(plan)
        enforced["by"] = ["namespaces"]
    except OSError as error:
        enforced["missing"] += [
            f"user and mount namespaces ({error.strerror})",
            *("a fresh /tmp", "another user"),
        ]
        _with_landlock(plan, enforced)
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC):
        hard = resource.getrlimit(limit)[1]
        most = plan["descriptors"]
        if limit == resource.RLIMIT_NPROC and not enforced["by"]:
            continue  # without a namespace it counts all processes of the user
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(limit, (most, most))
    return enforced


def _with_namespaces(plan: Plan) -> None:
    """Become another user, with a file system that is read-only except for /tmp.

    This is tried in a child first: half of it would be worse than nothing.
    """
    pid = os.fork()
    if not pid:
        try:
            _enter(plan)
            code = 0
        except OSError as error:
            code = error.errno or 1
        os._exit(min(code, 255))
    if code := os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        raise OSError(code, os.strerror(code))
    _enter(plan)


def _enter(plan: Plan) -> None:
    uid, gid = os.getuid(), os.getgid()
    cwd = os.getcwd()
    syscalls.unshare(syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS)
    # Opened only now: what is of another mount namespace can't be bound here.
    kept = [(path, os.open(path, os.O_PATH)) for path in plan["kept"]]
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{UID} {uid} 1"),
        ("gid_map", f"{GID} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.make_readonly("/")
    if plan["fresh_tmp"]:
        safe = syscalls.MS_NOSUID | syscalls.MS_NODEV
        syscalls.mount(
            "tmpfs", "/tmp", "tmpfs", safe, f"size={plan['tmp_mb']}m,mode=1777"
        )
        for path, descriptor in kept:
            _put_back(path, descriptor)
    if os.path.isdir("/dev/shm"):
        options = "size=4k,mode=0"
        syscalls.mount("tmpfs", "/dev/shm", "tmpfs", syscalls.MS_NOSUID, options)
    for path in plan["closed"]:
        _close(path)
    os.chdir(cwd)  # what lay below the old /tmp is seen at its new place
    for _, descriptor in kept:
        os.close(descriptor)


def _put_back(path: str, descriptor: int) -> None:
    """Bind the kept paths below /tmp to their old places, read-only."""
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.makedirs(path, 0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        if not os.path.exists(path):
            os.mknod(path)
    source = f"/proc/self/fd/{descriptor}"
    syscalls.mount(source, path, None, syscalls.MS_BIND | syscalls.MS_REC)


def _close(path: str) -> None:
    """Hide files that others may not read: Lambda's user is one of them."""
    if os.path.isdir(path):
        syscalls.mount("tmpfs", path, "tmpfs", syscalls.MS_NOSUID, "size=4k,mode=0")
        return
    closed = "/tmp/.closed"
    if not os.path.exists(closed):
        os.mknod(closed, 0)
    syscalls.mount(closed, path, None, syscalls.MS_BIND)


def _with_landlock(plan: Plan, enforced: Enforced) -> None:
    """Forbid writes outside of /tmp: what Linux can do without a namespace."""
    allowed = ["/tmp", "/dev/null", "/dev/tty", "/dev/zero", "/proc"]
    try:
        if not syscalls.IS_LINUX:
            raise OSError(errno.ENOSYS, "this is not Linux")
        syscalls.landlock(_LANDLOCK_WRITES, allowed)
        enforced["by"].append("Landlock")
    except OSError as error:
        enforced["missing"].append(f"a read-only disk ({error.strerror})")


if __name__ == "__main__":
    main(sys.argv)

"""System calls for which Python has no function.

Numbers from 424 on are the same on x86-64 and ARM64; ``MACHINE`` has the others.
"""

import ctypes
import os

IS_LINUX = os.uname().sysname == "Linux"
"""Whether this system has any of these calls."""

CLONE_NEWNS = 0x0002_0000
CLONE_NEWUSER = 0x1000_0000
MS_NOSUID, MS_NODEV = 2, 4
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x4_0000
MOUNT_ATTR_RDONLY = 1
AT_RECURSIVE = 0x8000
AT_FDCWD = -100
PR_SET_NO_NEW_PRIVS = 38
_MOUNT_SETATTR = 442
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_SECCOMP = {"x86_64": 317, "aarch64": 277}

_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttr(ctypes.Structure):
    _fields_ = [
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns", ctypes.c_uint64),
    ]


class _Ruleset(ctypes.Structure):
    _fields_ = [("handled_access_fs", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def machine() -> str:
    """Return the name of the processor's architecture."""
    return os.uname().machine


def unshare(flags: int) -> None:
    """Leave the namespaces of the parent.

    Raises:
        OSError: the system forbids it.
    """
    _checked(_libc.unshare(flags), "unshare")


def mount(
    source: str, target: str, kind: str | None, flags: int, data: str = ""
) -> None:
    """Mount a file system, or bind a path.

    Raises:
        OSError: it can't be mounted.
    """
    result = _libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        data.encode(),
    )
    _checked(result, f"mount {target}")


def make_readonly(path: str) -> None:
    """Make a mount and all below it read-only, in one call.

    To remount each by hand fails where flags are locked: mount_namespaces(7).

    Raises:
        OSError: Linux before 5.12, or not allowed.
    """
    attributes = _MountAttr(set=MOUNT_ATTR_RDONLY)
    result = _libc.syscall(
        _MOUNT_SETATTR,
        AT_FDCWD,
        path.encode(),
        AT_RECURSIVE,
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    _checked(result, "mount_setattr")


def forbid_new_privileges() -> None:
    """Forbid an exec to add privileges, as filters and Landlock require."""
    _checked(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def landlock(access: int, allowed: list[str]) -> None:
    """Forbid kinds of access to all files but those below some paths.

    https://docs.kernel.org/userspace-api/landlock.html

    Raises:
        OSError: this kernel has no Landlock.
    """
    ruleset = _Ruleset(access)
    size = ctypes.c_size_t(ctypes.sizeof(ruleset))
    fd = _libc.syscall(_LANDLOCK_CREATE, ctypes.byref(ruleset), size, 0)
    _checked(fd, "landlock_create_ruleset")
    for path in allowed:
        if not os.path.exists(path):
            continue
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = _PathBeneath(access if os.path.isdir(path) else access & _FILE, parent)
        result = _libc.syscall(_LANDLOCK_ADD, fd, 1, ctypes.byref(rule), 0)
        _checked(result, f"landlock_add_rule {path}")
        os.close(parent)
    forbid_new_privileges()
    _checked(_libc.syscall(_LANDLOCK_RESTRICT, fd, 0), "landlock_restrict_self")
    os.close(fd)


_FILE = 0b10
"""The accesses of Landlock's first version that a file can have: to write it."""


def install_filter(program: bytes) -> int:
    """Install a filter of system calls; return the descriptor for its notifications.

    https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html

    Raises:
        OSError: the system forbids it, or another filter has a listener already.
    """
    if machine() not in _SECCOMP:
        raise OSError("no number for seccomp(2) on this machine")
    forbid_new_privileges()
    code = _Program(len(program) // 8, program)
    set_mode_filter, new_listener = 1, 8
    number = _SECCOMP[machine()]
    fd = _libc.syscall(number, set_mode_filter, new_listener, ctypes.byref(code))
    _checked(fd, "seccomp")
    return int(fd)


def _checked(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")

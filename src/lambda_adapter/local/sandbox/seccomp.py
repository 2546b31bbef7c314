"""Build the kernel's filter that selects the system calls to watch.

The program is classic BPF over ``struct seccomp_data``:
https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import struct

NAMES = {
    "x86_64": {
        2: "open",
        257: "openat",
        85: "creat",
        437: "openat2",
        83: "mkdir",
        258: "mkdirat",
        87: "unlink",
        263: "unlinkat",
        82: "rename",
        264: "renameat",
        316: "renameat2",
        49: "bind",
        42: "connect",
        105: "setuid",
        106: "setgid",
        116: "setgroups",
        92: "chown",
        93: "fchown",
        260: "fchownat",
        117: "setresuid",
        119: "setresgid",
        165: "mount",
    },
    "aarch64": {
        56: "openat",
        437: "openat2",
        34: "mkdirat",
        35: "unlinkat",
        38: "renameat",
        276: "renameat2",
        200: "bind",
        203: "connect",
        146: "setuid",
        144: "setgid",
        159: "setgroups",
        54: "fchownat",
        55: "fchown",
        147: "setresuid",
        149: "setresgid",
        40: "mount",
    },
}
"""The watched calls of each architecture, by number."""

PRIVILEGED = frozenset(
    {"setuid", "setgid", "setgroups", "setresuid", "setresgid"}
    | {"chown", "fchown", "fchownat", "mount"}
)
"""Calls that need rights that a function's user does not have."""

_ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
"""AUDIT_ARCH_*: call numbers depend on it."""

_WRITES = 0o3 | 0o100 | 0o1000
"""O_WRONLY, O_RDWR, O_CREAT and O_TRUNC: an open without them writes nothing."""

_ALLOW, _NOTIFY = 0x7FFF_0000, 0x7FC0_0000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_FLAGS_OF = {"open": 1, "openat": 2}
"""The position of a call's flags among its arguments."""


def program(machine: str) -> bytes:
    """Return the filter for an architecture; empty if it is not supported."""
    if machine not in NAMES:
        return b""
    steps = [
        _bpf_step(_LOAD, _ARCHITECTURE),
        _bpf_step(_EQUAL, _ARCHITECTURES[machine], 1, 0),
        _bpf_step(_RETURN, _ALLOW),
        _bpf_step(_LOAD, _NUMBER),
    ]
    for number, name in NAMES[machine].items():
        steps += (
            _notify_for_writing(number, name)
            if name in _FLAGS_OF
            else _notify_always(number)
        )
    return b"".join([*steps, _bpf_step(_RETURN, _ALLOW)])


def _notify_always(number: int) -> list[bytes]:
    return [_bpf_step(_EQUAL, number, 0, 1), _bpf_step(_RETURN, _NOTIFY)]


def _notify_for_writing(number: int, name: str) -> list[bytes]:
    """Notify only if the flags open a file for writing."""
    flags = _ARGUMENTS + 8 * _FLAGS_OF[name]  # the low half: both are little-endian
    return [
        _bpf_step(_EQUAL, number, 0, 4),
        _bpf_step(_LOAD, flags),
        _bpf_step(_ANY_BIT, _WRITES, 0, 1),
        _bpf_step(_RETURN, _NOTIFY),
        _bpf_step(_RETURN, _ALLOW),
    ]


def _bpf_step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)

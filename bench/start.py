"""What a start asks of the disk: files, calls, bytes, and pages where none is cached.

Lambda fetches an image lazily, in pieces of 512 KiB, so that a first start waits for
each that it touches: https://www.usenix.org/conference/atc23/presentation/brooker.
Files are those that the start opens or executes; all of them are evicted from the page
cache before the start that is timed, but for pages that other processes have mapped.
"""

import ctypes
import mmap
import os
import re
from collections.abc import Iterable

from bench.harness.events import SAME
from bench.harness.run import Defaults, Run
from bench.harness.session import open_session
from bench.harness.subjects import CACHE, Subject, require

DEFAULTS = Defaults(("ours", "native", "LWA"), 3, cores=(1,))

PIECE = 512 * 1024
OPENED = re.compile(r'(?:openat|open|execve)\((?:\w+, )?"([^"]+)".*\) = (-?\d+)')
LOOKED = re.compile(r"(?:newfstatat|statx?|lstat|access|faccessat2?|readlink(?:at)?)\(")
READ = re.compile(r"(?:read|pread64)\(.*\) = (\d+)")
CALLS = "openat,open,execve,newfstatat,stat,statx,lstat,access,readlink,read,pread64"


def measure(run: Run) -> None:
    """Measure the starts of each subject."""
    require("strace")
    for subject in run.subjects:
        _start(subject)  # compiles the bytecode, so that no round has to
    for cores, subject in run.turns():
        lines = _trace(subject)
        opens = [found.groups() for each in lines if (found := OPENED.search(each))]
        files = {path for path, result in opens if int(result) >= 0}
        reads = [int(found[1]) for each in lines if (found := READ.search(each))]
        files = {path for path in files if _is_kept(path)}
        _evict(files)
        to_reply = _start(subject)
        pages = [_resident(path) for path in sorted(files)]
        counted = {
            "files opened": len([each for each in opens if int(each[1]) >= 0]),
            "failed opens": len([each for each in opens if int(each[1]) < 0]),
            "looked at": len([each for each in lines if LOOKED.search(each)]),
            "files with pages": sum(any(each) for each in pages),
            "pieces of 512 KiB": sum(map(sum, pages)),
        }
        for metric, value in counted.items():
            run.add("start", cores, metric, "", subject.name, value)
        run.add("start", cores, "bytes read", "MB", subject.name, sum(reads) / 1e6)
        run.add("start", cores, "page-cold, to the reply", "ms", subject.name, to_reply)


def _start(subject: Subject) -> float:
    """Start a subject once, and return the milliseconds from exec to the reply."""
    with open_session(subject, None) as session:
        report = session.run([SAME], 1)
        return (report.replied[0] - session.launched("adapter")) / 1e6


def _trace(subject: Subject) -> list[str]:
    """Start a subject under strace, and return a line for each call about files."""
    within = (
        "strace",
        "-f",
        "-e",
        f"trace={CALLS}",
        "-e",
        "signal=none",
        "-o",
        "trace",
    )
    with open_session(subject, None, within=within) as session:
        session.run([SAME], 1)
        return (session.directory / "trace").read_text("utf-8", "replace").splitlines()


def _is_kept(path: str) -> bool:
    """Tell whether a path is a file on a disk, and not one of this benchmark."""
    return (
        os.path.isfile(path)
        and not path.startswith(("/proc/", "/sys/", "/dev/"))
        and os.path.dirname(path) != str(CACHE)
    )


def _evict(paths: Iterable[str]) -> None:
    os.sync()
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _resident(path: str) -> list[bool]:
    """Return for each piece of a file whether one of its pages is cached.

    https://man7.org/linux/man-pages/man2/mincore.2.html
    """
    size = os.path.getsize(path)
    if not size:
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    pages = (size + mmap.PAGESIZE - 1) // mmap.PAGESIZE
    found = (ctypes.c_ubyte * pages)()
    with open(path, "rb") as file:
        mapped = mmap.mmap(file.fileno(), size, mmap.MAP_PRIVATE, mmap.PROT_READ | 2)
    address = (ctypes.c_char * size).from_buffer(mapped)
    libc.mincore(
        ctypes.c_void_p(ctypes.addressof(address)), ctypes.c_size_t(size), found
    )
    del address
    mapped.close()
    within = PIECE // mmap.PAGESIZE
    return [
        any(page & 1 for page in found[first : first + within])
        for first in range(0, pages, within)
    ]

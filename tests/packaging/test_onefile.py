"""The one file: ``onefile.c``, compiled with the sanitizers, and what it unpacks."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.emulator import PROJECT

PACKAGING = PROJECT / "packaging"
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-format-truncation")
SANITIZERS = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
TRAILER = 32
"""Bytes behind the archive."""

LINKER = "linker"
STAND_IN = """\
#!/bin/sh
echo {version}
umask
shift 6  # its options and the program for Python
printf '%s\\n' "$@"
"""
"""What is started in place of a dynamic linker that starts Python."""


class OneFile:
    """The launcher, made for places of its own, and the one files made with it."""

    def __init__(self, directory: Path) -> None:
        self.launcher = directory / "launcher"
        self.opt = directory / "opt"
        self.tmp = directory / "tmp"
        self.directory = directory
        subprocess.run(
            [
                *("cc", *WARNINGS, *SANITIZERS, f'-DLINKER="{LINKER}"'),
                f'-DHOME="{self.opt}/lambda-adapter"',
                f'-DTMP="{self.tmp}/lambda-adapter"',
                *("-o", self.launcher, PACKAGING / "onefile.c"),
            ],
            check=True,
        )

    def pack(self, version: str, name: str = "bootstrap", large: int = 100_000) -> Path:
        """Make the one file of a version, with one file of ``large`` bytes in it."""
        content = self.directory / "content"
        shutil.rmtree(content, ignore_errors=True)
        (content / "lib").mkdir(parents=True)
        linker = content / "lib" / LINKER
        linker.write_text(STAND_IN.format(version=version))
        linker.chmod(0o755)
        (content / "large").write_bytes(bytes(large))
        (content / "odd").write_bytes(b"not a multiple of a block")
        (content / "odd").chmod(0o666)
        output = self.directory / name
        subprocess.run(
            [PACKAGING / "pack_onefile.sh", self.launcher, content, output], check=True
        )
        return output

    def unpacked(self) -> list[Path]:
        """Return what is in both places, half a tree included."""
        return [*self.opt.glob("*"), *self.tmp.glob("*")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> OneFile:
    if not shutil.which("cc") and not os.environ.get("CI"):
        pytest.skip("cc is not installed")
    return OneFile(tmp_path_factory.mktemp("onefile"))


@pytest.fixture
def onefile(built: OneFile) -> OneFile:
    """The launcher, with nothing unpacked."""
    for place in built.opt, built.tmp:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
    return built


def run(*command: str | Path, umask: int = -1) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=20, umask=umask, check=False
    )


def start(file: Path, *arguments: str) -> list[str]:
    """Start a one file that has to work, and return what its stand-in says."""
    done = run(file, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_arguments(onefile: OneFile):
    """Every argument reaches the adapter, behind the name of the file."""
    file = onefile.pack("first")

    assert start(file, "", "a b", "-c")[2:] == [str(file), "", "a b", "-c"]


def test_unpacks_once(onefile: OneFile):
    """What is unpacked is there for the next start, and nothing is written then."""
    file = onefile.pack("first")
    start(file)
    (root,) = onefile.unpacked()
    times = {path: path.stat().st_ctime_ns for path in [root, *root.rglob("*")]}

    assert start(file)[0] == "first"

    assert onefile.unpacked() == [root]
    assert {path: path.stat().st_ctime_ns for path in times} == times
    assert (root / "large").read_bytes() == bytes(100_000)
    assert (root / "odd").read_bytes() == b"not a multiple of a block"
    assert (root / "lib" / LINKER).stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("writable", [True, False], ids=["opt", "tmp"])
def test_newer_file(onefile: OneFile, writable: bool):
    """A newer file starts what is in it, and not what an older one has unpacked."""
    if not writable:
        onefile.opt.rmdir()
    older, newer = onefile.pack("older", "older"), onefile.pack("newer", "newer")

    assert [start(file)[0] for file in (older, newer, older)] == [
        *("older", "newer", "older")
    ]


def test_many_at_once(onefile: OneFile):
    """Several that unpack at once all start, and leave one directory."""
    file = onefile.pack("first", large=8_000_000)  # for all to have begun

    processes = [
        subprocess.Popen([file], stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    said = [process.communicate(timeout=20)[0] for process in processes]

    assert [lines.splitlines()[0] for lines in said] == ["first"] * 8
    assert len(onefile.unpacked()) == 1


@pytest.mark.parametrize("writable", [True, False], ids=["opt", "tmp"])
@pytest.mark.parametrize("umask", [0, 0o027])
def test_umask(onefile: OneFile, writable: bool, umask: int):
    """Files that are unpacked are writable by their user alone; the umask is kept."""
    if not writable:
        onefile.opt.rmdir()

    done = run(onefile.pack("first"), umask=umask)

    assert int(done.stdout.splitlines()[1], 8) == umask
    (root,) = onefile.unpacked()
    modes = [path.stat().st_mode for path in (root, *root.rglob("*"))]
    assert [oct(mode) for mode in modes if mode & (stat.S_IWGRP | stat.S_IWOTH)] == []


def test_under_tmp(onefile: OneFile):
    """Where /opt can't be written, it unpacks under /tmp, privately, and says so."""
    onefile.opt.rmdir()

    done = run(onefile.pack("first"))

    (root,) = onefile.unpacked()
    assert root.parent == onefile.tmp
    assert root.stat().st_mode & 0o777 == 0o700
    assert done.stdout.startswith("first\n")
    assert done.stderr.startswith(f"lambda-adapter: unpacked under {root} ")
    assert done.stderr.count("\n") == 1


def refuses(file: Path, *words: str) -> None:
    """Start one that must not work: one line on stderr, and nothing is executed."""
    done = run(file)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("lambda-adapter: ")
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    "cut", [1, TRAILER // 2, TRAILER, TRAILER + 1, TRAILER + 512, 50_000, 110_000]
)
def test_truncated(onefile: OneFile, cut: int):
    """A file that is cut short is refused in one line, and nothing is unpacked."""
    file = onefile.pack("first")
    size = file.stat().st_size - cut
    assert size > onefile.launcher.stat().st_size
    os.truncate(file, size)

    refuses(file, str(file), "damaged")

    assert onefile.unpacked() == []


def test_nothing_but_the_launcher(onefile: OneFile):
    """A launcher with nothing behind it is refused in one line."""
    refuses(onefile.launcher, str(onefile.launcher), "damaged")

    assert onefile.unpacked() == []


@pytest.mark.parametrize(
    ("offset", "data"),
    [
        pytest.param(-16, b"%016d" % 0, id="no archive"),
        pytest.param(-16, b"%016d" % 512_000_000, id="archive larger than the file"),
        pytest.param(-16, b"%016d" % 1, id="part of a block"),
        pytest.param(-16, b"%016d" % 1024, id="another place"),
        pytest.param(-16, b"-000000000000001", id="negative"),
        pytest.param(-TRAILER, b"../../../../../.", id="an id that is a path"),
    ],
)
def test_damaged_trailer(onefile: OneFile, offset: int, data: bytes):
    """A file whose end makes no sense is refused in one line, and nothing is left."""
    file = onefile.pack("first")
    with file.open("r+b") as opened:
        opened.seek(offset, os.SEEK_END)
        opened.write(data)

    refuses(file, str(file), "damaged")

    assert onefile.unpacked() == []


@pytest.mark.parametrize("size", [b"77777777777", b"00000200000"])
def test_damaged_archive(onefile: OneFile, size: bytes):
    """A member that is larger than the archive is refused, and nothing is left."""
    file = onefile.pack("first")
    last = file.read_bytes().rindex(b"./odd")
    with file.open("r+b") as opened:
        opened.seek(last + 124)  # the size in a header
        opened.write(size)

    refuses(file, "damaged")

    assert onefile.unpacked() == []


def test_no_room(onefile: OneFile):
    """Where there is no room, it says why in one line, and leaves nothing."""
    file = onefile.pack("first")
    limited = 'trap "" XFSZ; ulimit -f 1; exec "$0"'  # blocks of 512 bytes

    done = run("sh", "-c", limited, file)

    assert done.returncode == 1
    assert done.stderr == (
        "lambda-adapter: neither /opt nor /tmp can be written: File too large\n"
    )
    assert onefile.unpacked() == []


def writable_by_all(root: Path) -> None:
    root.mkdir()
    root.chmod(0o777)


def a_link(root: Path) -> None:
    root.with_name("target").mkdir(mode=0o700)
    root.symlink_to("target")


def a_file(root: Path) -> None:
    root.touch()


@pytest.mark.parametrize("planted", [writable_by_all, a_link, a_file])
def test_what_others_can_fill(onefile: OneFile, planted: Callable[[Path], None]):
    """A directory that others could have filled is named in one line, and not used."""
    file = onefile.pack("first")
    onefile.opt.rmdir()
    start(file)
    (root,) = onefile.unpacked()
    shutil.rmtree(root)
    planted(root)
    before: Sequence[Path] = onefile.unpacked()

    refuses(file, str(root))

    assert onefile.unpacked() == before

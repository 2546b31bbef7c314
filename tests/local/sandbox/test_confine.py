"""What a confined process can't do."""

import os
import sys
from pathlib import Path

import pytest
from bench.sandbox import WITHOUT_UNSHARE

from lambda_adapter.local.sandbox.jail import Jail
from lambda_adapter.local.sandbox.limits import HOME, Limits
from tests.local.sandbox.confined import confined

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="Linux has sandboxes"),
    pytest.mark.usefixtures("unmeasured"),
]

TRIES = """
import os
def tried(what):
    try:
        what()
    except OSError as error:
        return error.strerror
    return "done"
"""


def test_the_disk_is_readonly(tmp_path: Path):
    """A write outside /tmp fails with EROFS, and one in /tmp does not."""
    program = TRIES + (
        "print(tried(lambda: open('here', 'w')))\n"
        "print(tried(lambda: os.mkdir('/opt/there')))\n"
        "print(tried(lambda: open('/tmp/well', 'w')))\n"
    )

    with confined(program, tmp_path) as sandbox:
        lines = sandbox.output().splitlines()

    assert lines == ["Read-only file system", "Read-only file system", "done"]
    assert list(tmp_path.iterdir()) == []


def test_tmp_is_empty_and_has_its_size(tmp_path: Path):
    """The environment's /tmp has its own size, and of this machine's what it runs."""
    program = TRIES + (
        "import sys\n"
        "here = os.getcwd(), sys.prefix, sys.base_prefix\n"
        "kept = {os.path.relpath(each, '/tmp').split('/')[0] for each in here}\n"
        "print(set(os.listdir('/tmp')) <= {*kept, '.closed'})\n"
        "print(tried(lambda: open('/tmp/big', 'wb').write(bytes(9_000_000))))\n"
    )

    with confined(program, tmp_path, Limits(tmp_mb=8)) as sandbox:
        lines = sandbox.output().splitlines()
        full = sandbox.jail.limits.tmp_mb

    assert lines == ["True", "No space left on device"]
    assert full == 8


def test_there_is_no_shared_memory(tmp_path: Path):
    """A lock of multiprocessing can't be made, since there is no /dev/shm."""
    program = TRIES + (
        "import multiprocessing\n"
        "print(tried(multiprocessing.Lock))\n"
        "print(tried(lambda: open('/dev/shm/x', 'w')))\n"
    )

    with confined(program, tmp_path) as sandbox:
        lines = sandbox.output().splitlines()
        named = sandbox.jail.attempts.shared_memory()

    assert "done" not in lines
    assert [each.path for each in named][-1:] == ["/dev/shm/x"]


def test_the_user_is_nobody_in_particular(tmp_path: Path):
    """The user is Lambda's, without capabilities, and HOME is not there."""
    program = TRIES + (
        "print(os.getuid(), os.environ['HOME'], os.path.exists(os.environ['HOME']))\n"
        "print([x for x in open('/proc/self/status') if x.startswith('CapEff')][0])\n"
        "print(tried(lambda: os.setuid(0)))\n"
    )

    with confined(program, tmp_path) as sandbox:
        lines = sandbox.output().splitlines()

    assert lines[0] == f"993 {HOME} False"
    assert lines[1].split()[-1].strip("0") == ""
    assert lines[-1] != "done"


def test_what_others_cannot_read_is_closed(tmp_path: Path):
    """A file with 0600 and a directory with 0700 are closed, and the others open."""
    for name, mode in (("open", 0o644), ("secret", 0o600)):
        (tmp_path / name).write_text(name)
        (tmp_path / name).chmod(mode)
    (tmp_path / "inner").mkdir(mode=0o700)
    program = TRIES + (
        "print(tried(lambda: open('open')), tried(lambda: open('secret')),"
        " tried(lambda: os.listdir('inner')))\n"
    )

    with confined(program, tmp_path) as sandbox:
        output = sandbox.output().strip()

    assert output == "done Permission denied Permission denied"


def test_files_are_counted(tmp_path: Path):
    """A process has 1,024 descriptors, and the next one fails."""
    program = TRIES + (
        "kept = []\n"
        "def fill():\n"
        "    while True: kept.append(os.open('/dev/null', 0))\n"
        "print(tried(fill), len(kept) > 1000, len(kept) <= 1024)\n"
    )

    with confined(program, tmp_path) as sandbox:
        output = sandbox.output().strip()

    assert output == "Too many open files True True"


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the number is x86-64's")
def test_without_namespaces_landlock_remains(tmp_path: Path):
    """Without namespaces, writes outside /tmp are refused as well."""
    program = TRIES + (
        "print(tried(lambda: open('/opt/there', 'w')))\n"
        "print(tried(lambda: open('/tmp/lambda-adapter-test', 'w')))\n"
        "print(tried(lambda: os.remove('/tmp/lambda-adapter-test')))\n"
    )
    with confined(program, tmp_path, wrapper=WITHOUT_UNSHARE) as sandbox:
        lines = sandbox.output().splitlines()
        said = sandbox.jail.described
        paths = [each.path for each in sandbox.jail.attempts.elsewhere()]

    assert lines == ["Permission denied", "done", "done"]
    assert "Landlock" in said
    assert "not on this machine: user and mount namespaces" in said
    assert "/opt/there" in paths


@pytest.mark.parametrize("given", ["", "-Xss1m"])
def test_java_sees_the_memory_of_the_function(tmp_path: Path, given: str):
    """Java gets the function's memory in addition to its own options."""
    program = tmp_path / "java"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    jail = Jail(Limits(memory_mb=256), ["java"], {}, str(tmp_path))
    environ = {"PATH": str(tmp_path), "JDK_JAVA_OPTIONS": given}

    adapted = jail.adapt(environ)

    assert adapted["JDK_JAVA_OPTIONS"].split() == [*given.split(), "-XX:MaxRAM=256m"]
    assert jail.adapt({"PATH": "/none"}) == {"PATH": "/none"}

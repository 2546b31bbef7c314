"""The zipapp's `__main__`: call the adapter, unpacked if so, else out of the archive.

The time from here to the start of the application is the customer's cold start: import
nothing that can wait. Python 3.6 can parse this, and hence say that it is too old.
"""

import os
import stat
import sys

BUILD_ID = "@BUILD_ID@"
ROOT = os.environ.get("SHIV_ROOT") or "@ROOT@"
TMP = os.path.join(
    os.environ.get("TMPDIR") or "/tmp",  # noqa: S108 - is_private() guards it
    f"lambda-adapter-{os.getuid()}",
)
ARCHIVE = os.path.dirname(os.path.abspath(__file__))


def unpacked(root: str) -> str:
    """Name the directory of this build's site-packages under `root`.

    It is the same whatever the archive is called today: renamed, or behind a link.
    """
    return f"{root}/bootstrap_{BUILD_ID}/site-packages"


def is_private(path: str) -> bool:
    """Tell whether `path` is a directory that nobody but us could have filled."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    return ours and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def unpack() -> None:
    """Unpack the archive, for good or for now, and import from there henceforth.

    Raises:
        SystemExit: No place can be written.
    """
    keep_others_out()  # the application runs already, with the umask that it was given
    root = ROOT
    try:
        extract(root)
    except OSError:
        root = unpack_for_now()
    else:
        compile_missing(unpacked(root))
    sys.path[:] = [path for path in sys.path if not path.startswith(ARCHIVE)]
    sys.path.insert(0 if sys.flags.isolated else len(sys.path), unpacked(root))
    sys.modules["lambda_adapter"].__path__[:] = [unpacked(root) + "/lambda_adapter"]


def keep_others_out() -> None:
    """Let nobody else write what this process writes from here on."""
    os.umask(os.umask(0) | stat.S_IWGRP | stat.S_IWOTH)


def unpack_for_now() -> str:
    """Unpack under TMPDIR or /tmp, and compile nothing: that costs more than it gains.

    Raises:
        SystemExit: Not even /tmp can be written.
    """
    import contextlib
    import tempfile

    with contextlib.suppress(OSError):  # it exists, or there is no such TMPDIR
        os.mkdir(TMP, mode=0o700)
    try:
        root = TMP if is_private(TMP) else tempfile.mkdtemp(prefix="lambda-adapter-")
        extract(root)
    except OSError as error:
        raise SystemExit(
            f"lambda-adapter: neither {ROOT} nor /tmp can be written: {error}"
        ) from error
    print(
        f"lambda-adapter: {ROOT} cannot be written; unpacked under {root} for this "
        "environment. Unpack once at build time to start faster: "
        "RUN /opt/bootstrap --version",
        file=sys.stderr,
    )
    return root


def extract(root: str) -> None:
    """Have shiv extract the archive: under a lock, then renamed into place.

    Raises:
        OSError: `root` cannot be written.
    """
    import pathlib
    import zipfile

    from _bootstrap import (  # type: ignore[import-not-found] # shiv's, in the archive
        extract_site_packages,
    )

    target = pathlib.Path(unpacked(root)).parent
    with zipfile.ZipFile(ARCHIVE) as archive:
        extract_site_packages(archive, target)


def compile_missing(site_packages: str) -> None:
    """Compile for this Python what is not compiled for it.

    No start checks the pycs. Their sources don't change: each build unpacks to a
    directory of its own. A check by time would compile anew at every start whatever an
    image builder has given another time, and one by hash reads every source.

    What has a pyc keeps it, for a file written again is one more in an image's layer. A
    place that can't be written stays as it is: it works, only slower.
    """
    import compileall
    import importlib.util
    import pathlib
    import py_compile

    keep_others_out()
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for path in pathlib.Path(site_packages).rglob("*.py"):
        if not os.path.exists(importlib.util.cache_from_source(path)):
            compileall.compile_file(path, quiet=2, invalidation_mode=unchecked)
    if sys.argv[1:] == ["--version"]:
        write_code_file(site_packages)


def write_code_file(site_packages: str) -> None:
    """Have all code of a start in one file, too, if there is none for this Python."""
    import subprocess

    target = f"{site_packages}/lambda_adapter/{sys.implementation.cache_tag}.code"
    if os.access(site_packages, os.W_OK) and not os.path.exists(target):
        module = f"{site_packages}/lambda_adapter/write_code_file.py"
        command = [sys.executable, "-IS", module, site_packages, "--with-library"]
        subprocess.run(command, check=False)  # noqa: S603 - our own


def run() -> int:
    """Find the adapter and call it. To be asked for its version unpacks it for good."""
    for root in (ROOT,) if sys.argv[1:] == ["--version"] else (ROOT, TMP):
        if os.path.isdir(unpacked(root)) and (root is ROOT or is_private(root)):
            if sys.argv[1:] == ["--version"]:
                compile_missing(unpacked(root))
            sys.path[0] = unpacked(root)
            from lambda_adapter import code_file

            code_file.use(unpacked(root))
            from lambda_adapter.cli import main

            come_last()
            return main()

    sys.path.insert(0, ARCHIVE + "/site-packages")
    from lambda_adapter.cli import main

    come_last()
    return main(unpack)


def come_last() -> None:
    """Leave the first place to the application's packages, if it is in this process."""
    if not sys.flags.isolated:
        sys.path.append(sys.path.pop(0))


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - python3 is whatever is on PATH
        print(
            "lambda-adapter: needs Python 3.11 or newer; python3 on PATH is",
            "{}, {}.{}.{}".format(sys.executable, *sys.version_info),
            file=sys.stderr,
        )
        sys.exit(64)
    sys.exit(run())

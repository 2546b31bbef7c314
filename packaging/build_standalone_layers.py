"""Build dist/layer-standalone-ARCHITECTURE.zip: the adapter with a Python of its own.

For the managed runtimes that have no Python, and for the OS-only ones. What a layer
holds is what the standalone image holds, so `make build` comes first.

Nothing is started: a container is created, read and removed. The file is the same for
the same image.
"""

import argparse
import hashlib
import io
import shlex
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from build_images import ARCHITECTURES, ENGINES, IMAGE, find_engine
from build_layer import TIME

ROOT = "opt/"


def main() -> None:
    """Build both, with the engine named on the command line or one that answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", help='its command, or "" for one that answers')
    parser.add_argument("directory", type=Path, help="where to write the layers")
    arguments = parser.parse_args()
    try:
        engine = shlex.split(arguments.engine) or find_engine(ENGINES[:2])
        for architecture in "x86_64", "aarch64":
            data = export(engine, architecture)
            output = arguments.directory / f"layer-standalone-{architecture}.zip"
            write(data, output)
    except SystemExit as error:
        if arguments.engine:
            raise
        print(f"Only dist/layer.zip, for Python: {error}", file=sys.stderr)


def export(engine: list[str], architecture: str) -> bytes:
    """Return the standalone image for this architecture as a tar.

    Raises:
        SystemExit: There is no such image.
    """
    image = f"{IMAGE}:latest-{architecture}-standalone"
    platform = f"linux/{ARCHITECTURES[architecture]}"
    created = subprocess.run(  # noqa: S603 - the engine
        [*engine, "create", "--pull", "never", "--platform", platform, image, "/none"],
        capture_output=True,
        text=True,
    )
    if created.returncode:
        raise SystemExit(f"there is no {image}; `make build` makes it")
    name = created.stdout.split()[-1]
    try:
        return subprocess.run(  # noqa: S603 - the engine
            [*engine, "export", name], check=True, stdout=subprocess.PIPE
        ).stdout
    finally:
        subprocess.run(  # noqa: S603 - the engine
            [*engine, "rm", name], check=True, stdout=subprocess.DEVNULL
        )


def write(image: bytes, output: Path) -> None:
    """Zip what the image has in /opt, with nothing in it of this machine."""
    finished = output.with_name(f".{output.name}.new")
    unpacked = 0
    with zipfile.ZipFile(
        finished, "w", zipfile.ZIP_DEFLATED, compresslevel=9
    ) as archive:
        for name, mode, data in files(image):
            entry = zipfile.ZipInfo(name, TIME)
            entry.external_attr = (stat.S_IFREG | mode) << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
            unpacked += len(data)
    finished.replace(output)
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    size = output.stat().st_size
    print(f"{output}: {size:,} bytes ({unpacked:,} unpacked), sha256 {digest}")


def files(image: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Yield the files below /opt, in order: name, mode and content."""
    with tarfile.open(fileobj=io.BytesIO(image)) as archive:
        for member in sorted(archive, key=lambda each: each.name):
            if member.isdir() or not member.name.startswith(ROOT):
                continue
            file = archive.extractfile(member)  # of a link, what it leads to
            if file:
                mode = 0o755 if member.mode & stat.S_IXUSR else 0o644
                yield member.name.removeprefix(ROOT), mode, file.read()


if __name__ == "__main__":
    main()

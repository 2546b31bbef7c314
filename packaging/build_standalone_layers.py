"""Build dist/layer-standalone-ARCHITECTURE.zip: the native file as a layer.

For the managed runtimes that have no Python, and for the OS-only ones. The layer is
made of the native file that lies beside it, for each architecture that there is one of,
and is the same for the same file.
"""

import argparse
import hashlib
import sys
import zipfile
from pathlib import Path

from build_layer import TIME

MODE = 0o100755


def main() -> None:
    """Build a layer of each native file in the directory that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="where they are, and are written")
    directory: Path = parser.parse_args().directory
    for architecture in "x86_64", "aarch64":
        native = directory / f"lambda-adapter-{architecture}"
        if native.exists():
            write(native, directory / f"layer-standalone-{architecture}.zip")
        else:
            print(f"No layer for {architecture}: make {native}", file=sys.stderr)


def write(native: Path, output: Path) -> None:
    """Zip the file as /opt/bootstrap, with nothing in it of this machine."""
    finished = output.with_name(f".{output.name}.new")
    entry = zipfile.ZipInfo("bootstrap", TIME)
    entry.external_attr = MODE << 16
    with zipfile.ZipFile(finished, "w", compresslevel=9) as archive:
        archive.writestr(entry, native.read_bytes(), zipfile.ZIP_DEFLATED)
    finished.replace(output)
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    print(f"{output}: {output.stat().st_size:,} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()

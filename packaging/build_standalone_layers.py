"""Build dist/layer-standalone-ARCHITECTURE.zip: the native file as a layer.

Beside it in /opt/licenses is what it is linked of, and under which licences.

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
    """Zip the file as /opt/bootstrap, and what is said of it."""
    finished = output.with_name(f".{output.name}.new")
    files = {
        "bootstrap": native,
        "licenses/lambda-adapter.cdx.json": native.with_name(f"{native.name}.cdx.json"),
        "licenses/lambda-adapter.txt": native.with_name(f"{native.name}.licenses.txt"),
    }
    with zipfile.ZipFile(finished, "w", compresslevel=9) as archive:
        for name, path in files.items():
            entry = zipfile.ZipInfo(name, TIME)
            mode = 0o755 if path == native else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    finished.replace(output)
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    print(f"{output}: {output.stat().st_size:,} bytes, sha256 {digest}")


if __name__ == "__main__":
    main()

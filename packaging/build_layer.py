"""Build dist/layer.zip: the adapter as a layer, for Lambda's managed runtimes.

A layer is unpacked to /opt, which can't be written. So what `/opt/bootstrap --version`
does to an image is done here, for every Python of the managed runtimes that is on PATH:
for any other, the adapter is compiled again at each cold start.

The file is reproducible, given the same Pythons.
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
ROOT = "/opt/shiv"
TIME = (1980, 1, 1, 0, 0, 0)


def main() -> None:
    """Build the layer out of the zipapp, both named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zipapp", type=Path, help="dist/bootstrap")
    parser.add_argument("output", type=Path, help="where to write the layer")
    arguments = parser.parse_args()
    zipapp: Path = arguments.zipapp
    output: Path = arguments.output

    with tempfile.TemporaryDirectory() as directory:
        layer = Path(directory)
        shutil.copy(zipapp, layer / "bootstrap")
        unpack(zipapp, layer)
        missing = [python for python in PYTHONS if not compiled(python, layer)]
        finished = output.with_name(f".{output.name}.new")
        write(layer, finished)
        finished.replace(output)

    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    print(f"{output}: {output.stat().st_size:,} bytes, sha256 {digest}")
    if missing:
        print(
            f"{output} works with Python {', '.join(PYTHONS)}, but starts slower with "
            f"{', '.join(missing)}: not on PATH here, hence not compiled for.",
            file=sys.stderr,
        )


def unpack(zipapp: Path, layer: Path) -> None:
    """Unpack the zipapp to where its launcher will look for it."""
    with zipfile.ZipFile(zipapp) as archive:
        source = archive.read("__main__.py").decode()
        (build_id,) = re.findall(r'^BUILD_ID = "(\w+)"$', source, re.MULTILINE)
        target = layer / Path(ROOT).name / f"bootstrap_{build_id}"
        for name in archive.namelist():
            if name.startswith("site-packages/"):
                archive.extract(name, target)


def compiled(python: str, layer: Path) -> bool:
    """Compile for this Python, if it is here; unchecked pycs hold no time."""
    interpreter = shutil.which(f"python{python}")
    if not interpreter or not runs(interpreter):
        return False
    options = ("-q", "--invalidation-mode", "unchecked-hash")
    paths = ("-s", str(layer), "-p", "/opt", str(layer))
    subprocess.run(  # noqa: S603 - a Python of this machine
        [interpreter, "-I", "-m", "compileall", *options, *paths], check=True
    )
    (module,) = layer.glob("shiv/*/site-packages/lambda_adapter/write_code_file.py")
    site_packages = str(module.parent.parent)
    subprocess.run([interpreter, "-IS", module, site_packages], check=True)  # noqa: S603 - the same
    return True


def runs(interpreter: str) -> bool:
    """Tell a Python from pyenv's word for one that is not switched on."""
    probe = subprocess.run([interpreter, "-V"], capture_output=True)  # noqa: S603 - a Python of this machine
    return probe.returncode == 0


def write(layer: Path, output: Path) -> None:
    """Zip the directory, with nothing in it of this machine."""
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(layer.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(str(path.relative_to(layer)), TIME)
                mode = 0o755 if path.name == "bootstrap" else 0o644
                entry.external_attr = (0o100000 | mode) << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()

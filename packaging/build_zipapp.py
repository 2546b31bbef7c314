"""Build dist/bootstrap: the adapter and all it needs, in one file that runs anywhere.

Anywhere: every CPython of PYTHONS on every platform of PLATFORMS. What differs between
them are the extension modules, and those carry their target in their names: so one
directory holds the wheels of all targets, and everything else in them must agree.

The file is reproducible: its contents are pinned in uv.lock, and nothing else of the
machine that builds it gets in: no time, no file mode, no order of directory entries.
"""

import argparse
import hashlib
import io
import itertools
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from elftools.elf.elffile import ELFFile
from expand_trio import expand

HERE = Path(__file__).parent
PROJECT = HERE.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")
ROOT = "/opt/shiv"

UV = (sys.executable, "-m", "uv", "--quiet")
UV_INSTALL = (*UV, "pip", "install", "--no-deps", "--link-mode", "copy")

# Nothing reads these at run time; the lock is uv's. What `local` needs is not packed.
NAMES_DROPPED = {".lock", "__pycache__", "_tests", "bin", "tests"}
SUFFIXES_DROPPED = {".c", ".h", ".pxd", ".pyi", ".pyx"}


def main() -> None:
    """Build the zipapp at the path given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="where to write the zipapp")
    output: Path = parser.parse_args().output

    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        site_packages = scratch / "site-packages"
        collect(site_packages, scratch)
        expand(site_packages)
        archive = scratch / "shiv.pyz"
        run_shiv(site_packages, archive)
        output.parent.mkdir(parents=True, exist_ok=True)
        finished = output.with_name(f".{output.name}.new")
        finish(archive, finished)
        finished.replace(output)

    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    print(f"{output}: {output.stat().st_size:,} bytes, sha256 {digest}")


def collect(site_packages: Path, scratch: Path) -> None:
    """Merge the wheels of all targets, and our own, into one site-packages."""
    requirements = scratch / "requirements.txt"
    run(*UV, "export", "--frozen", "--no-dev", "--no-emit-project", "-o", requirements)
    for python, platform in itertools.product(PYTHONS, PLATFORMS):
        wheels = scratch / f"{python}-{platform}"
        run(
            *(*UV_INSTALL, "--target", wheels, "--require-hashes"),
            *("--python-version", python, "--python-platform", platform),
            *("--only-binary", ":all:", "-r", requirements),
        )
        merge(wheels, site_packages)
    ours = scratch / "ours"
    run(*UV_INSTALL, "--target", ours, "--no-build-isolation", PROJECT)
    merge(ours, site_packages)


def merge(source: Path, target: Path) -> None:
    """Move what is needed of `source` into `target`.

    Raises:
        SystemExit: The same file differs between two targets.
    """
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if not path.is_file() or not is_needed(name):
            continue
        data = slim(path)
        merged = target / name
        if merged.exists() and merged.read_bytes() != data:
            raise SystemExit(f"{name} of {source.name} differs from another target's")
        merged.parent.mkdir(parents=True, exist_ok=True)
        merged.write_bytes(data)


def is_needed(name: Path) -> bool:
    """Tell whether a file of a wheel is of use at run time, or a licence."""
    if name.parts[0].endswith(".dist-info"):
        return "licenses" in name.parts or name.stem in {"LICENSE", "METADATA"}
    if name.parts[:2] == ("lambda_adapter", "local"):
        return False
    return NAMES_DROPPED.isdisjoint(name.parts) and name.suffix not in SUFFIXES_DROPPED


def slim(path: Path) -> bytes:
    """Read a file, less what nothing reads at run time."""
    data = path.read_bytes()
    if path.suffix == ".so":
        return strip(data)
    if path.name == "METADATA":
        return data.partition(b"\n\n")[0] + b"\n"  # without the README
    return data


def strip(library: bytes) -> bytes:
    """Cut symbols and debug information off an ELF file.

    They lie behind the last byte that a program header loads. binutils' strip does as
    much, but not for the other architecture, and not every machine has it.
    """
    elf = ELFFile(io.BytesIO(library))
    end = max(each["p_offset"] + each["p_filesz"] for each in elf.iter_segments())
    elf.header.update(e_shoff=0, e_shnum=0, e_shstrndx=0)  # no section headers
    head = elf.structs.Elf_Ehdr.build(elf.header)
    return bytes(head + library[len(head) : end])


def run_shiv(site_packages: Path, archive: Path) -> None:
    """Make a zipapp of `site_packages`, as shiv makes it."""
    run(
        *(sys.executable, "-W", "ignore", "-m", "shiv"),
        *("--site-packages", site_packages, "--output-file", archive),
        *("--entry-point", "lambda_adapter.cli:main", "--root", ROOT),
        *("--compile-pyc", "--reproducible"),
    )


def finish(source: Path, output: Path) -> None:
    """Copy shiv's archive behind our prefix, with our `__main__` instead of shiv's."""
    with zipfile.ZipFile(source) as shiv, output.open("wb") as file:
        build_id = json.loads(shiv.read("environment.json"))["build_id"]
        file.write(template("zipapp_prefix.sh", build_id))
        with zipfile.ZipFile(file, "w", compresslevel=9) as archive:
            for entry in shiv.infolist():
                data = shiv.read(entry)
                if entry.filename == "__main__.py":
                    data = template("zipapp_main.py", build_id)
                copy = zipfile.ZipInfo(entry.filename, entry.date_time)
                copy.external_attr = 0o100644 << 16
                archive.writestr(copy, data, zipfile.ZIP_DEFLATED)
    output.chmod(0o755)


def template(name: str, build_id: str) -> bytes:
    """Read one of the files beside this one, and say in it what was built."""
    text = (HERE / name).read_text()
    return text.replace("@BUILD_ID@", build_id).replace("@ROOT@", ROOT).encode()


def run(*command: str | Path) -> None:
    """Run a command of this project's environment, from the project's directory."""
    subprocess.run(command, cwd=PROJECT, check=True)  # noqa: S603 - our own commands


if __name__ == "__main__":
    main()

"""Build dist/lambda-adapter-ARCHITECTURE: the adapter in one static file.

CPython comes from the distribution's static library, msgspec's C module from its sdist,
and all Python code is frozen into the file: see native/. It runs on any Linux of its
architecture, whatever else there is in the image.

It takes Debian 12: its python3.11, libpython3.11-dev, zlib1g-dev, libc6-dev and gcc;
for the other architecture gcc-aarch64-linux-gnu, and these libraries of it, which apt
fetches. What it fixes comes in with the next build, and the SBOM says what is in. The
same packages give the same bytes. Where there is no Debian 12, a container of it builds
the files of both architectures: see native/build_all.sh.
"""

import argparse
import hashlib
import json
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from build_images import ENGINES, find_engine
from build_sbom import SOURCES, Package, describe_native, license_texts
from debian import INSTALLED, Root, fetch, installed
from expand_trio import expand
from fetch_msgspec import fetch_msgspec

PACKAGING = Path(__file__).parent
PROJECT = PACKAGING.parent
NATIVE = PACKAGING / "native"
CACHE = PROJECT / ".cache" / "native"
PYTHON = "python3.11"
STATIC_LIBRARIES = Path("/usr/lib") / PYTHON
DEBIAN = "docker.io/library/debian:bookworm-slim"
UV = (sys.executable, "-m", "uv", "--quiet")
PLATFORM = "x86_64-manylinux_2_28"
"""Whose wheels are unpacked: of them, Python code alone is used, the same on each."""

COMPILE = ("-O2", "-fno-plt", "-ffile-prefix-map={directory}=.", "-c")
LINK = ("-static", "-no-pie", "-Wl,--gc-sections", "-Wl,--build-id=none", "-s")


def main() -> None:
    """Build the file for the architecture that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="where to write the file")
    parser.add_argument("--architecture", default=platform.machine())
    parser.add_argument("--engine", default="", help="docker, if this is no Debian 12")
    options = parser.parse_args()
    output: Path = options.output
    architecture: str = options.architecture
    if not any(STATIC_LIBRARIES.glob(f"config-*/lib{PYTHON}.a")):
        build_in_container(options.engine)
        return
    is_native = architecture == platform.machine()
    root = installed() if is_native else fetch(architecture, CACHE / architecture)

    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        packages = collect(directory / "site-packages")
        msgspec = fetch_msgspec(CACHE)
        freeze(directory / "site-packages", directory, root, msgspec)
        build(root, directory, msgspec)
        output.parent.mkdir(parents=True, exist_ok=True)
        finished = output.with_name(f".{output.name}.new")
        shutil.copy(directory / "native", finished)
        finished.replace(output)
        texts = license_texts(
            output.name,
            packages,
            directory / "site-packages",
            {
                each: (version, root.copyright(each))
                for each, version in root.packages.items()
                if each in SOURCES
            },
            PROJECT / "LICENSE",
        )
    output.with_name(f"{output.name}.licenses.txt").write_text(texts, "utf-8")
    sbom = describe_native(output.name, packages, root.packages)
    output.with_name(f"{output.name}.cdx.json").write_text(
        json.dumps(sbom, indent=2) + "\n"
    )
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    print(f"{output}: {output.stat().st_size:,} bytes, sha256 {digest}")


def build_in_container(named: str) -> None:
    """Build the files of both architectures in dist, with an engine that answers."""
    try:
        engine = shlex.split(named) or find_engine(ENGINES[:2])
    except SystemExit as error:
        raise SystemExit(
            f"The native file takes Debian 12 with {', '.join(INSTALLED)}, gcc and"
            f" {PYTHON}, or a container of it.\n{error}"
        ) from None
    (PROJECT / "dist").mkdir(exist_ok=True)  # by who runs this, and not by root
    script = "/checkout/packaging/native/build_all.sh"
    run(*engine, "run", "--rm", "--volume", f"{PROJECT}:/checkout", DEBIAN, script)


def collect(site_packages: Path) -> list[Package]:
    """Unpack the Python packages, trio's core expanded, and return what they are."""
    requirements = site_packages.with_name("requirements.txt")
    run(*UV, "export", "--frozen", "--no-dev", "--no-emit-project", "-o", requirements)
    run(
        *(*UV, "pip", "install", "--no-deps", "--link-mode", "copy"),
        *("--target", site_packages, "--require-hashes", "--only-binary", ":all:"),
        *("--python-version", PYTHON.removeprefix("python")),
        *("--python-platform", PLATFORM, "-r", requirements),
    )
    expand(site_packages)
    source = PROJECT / "src" / "lambda_adapter"
    shutil.copytree(
        source,
        site_packages / source.name,
        ignore=shutil.ignore_patterns("__pycache__", "local"),
    )
    found = [
        path.name.removesuffix(".dist-info") for path in site_packages.glob("*-info")
    ]
    return [Package(*name.rsplit("-", 1)) for name in sorted(found)]


def freeze(site_packages: Path, directory: Path, root: Root, msgspec: Path) -> None:
    """Compile all Python code by the Python that it is for."""
    about = f"CPython {root.python_version()}, static, for {root.architecture}"
    module = site_packages / "lambda_adapter_about.py"
    module.write_text(f"ABOUT = {about!r}\n")
    python = Path("/usr/bin") / PYTHON
    if not python.exists():
        raise SystemExit(f"this takes Debian's {PYTHON}: apt-get install {PYTHON}")
    run(
        *(str(python), "-ISB", "-X", "no_debug_ranges"),
        *map(str, (NATIVE / "freeze.py", site_packages, directory)),
        *map(str, (root.library(PYTHON), msgspec / "_core.c", NATIVE / "main.c")),
    )


def build(root: Root, directory: Path, msgspec: Path) -> None:
    """Compile the C sources, and link them with CPython's static library."""
    include = [f"-I{path}" for path in root.include(PYTHON)]
    sources = (
        *(NATIVE / "main.c", NATIVE / "inittab.c"),
        *(directory / "frozen.c", msgspec / "_core.c"),
    )
    objects = []
    for source in sources:
        compiled = directory / f"{source.stem}.o"
        options = [each.format(directory=source.parent) for each in COMPILE]
        run(
            *(root.compiler(), *options, *include, str(source), "-o", str(compiled)),
            cwd=directory,
        )
        objects.append(compiled)
    run(
        *(root.compiler(), *LINK, *root.link_options(), *map(str, objects)),
        *(str(root.library(PYTHON)), "-lz", "-lm", "-o", str(directory / "native")),
        quiet=True,
    )


def run(*command: str | Path, cwd: Path = PROJECT, quiet: bool = False) -> None:
    """Run a command; if quietly, show what it writes only if it fails.

    The linker warns of each function that would load a library of the image's; main.c
    keeps the C library from that.
    """
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=cwd, text=True, stderr=subprocess.PIPE if quiet else None
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed: {done.stderr or ''}")


if __name__ == "__main__":
    main()

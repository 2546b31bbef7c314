"""Debian's static libraries: those installed here, or another architecture's."""

import subprocess
from pathlib import Path

LIBRARIES = ("libpython3.11-dev", "zlib1g-dev", "libc6-dev")
INSTALLED = (*LIBRARIES, "libgcc-12-dev")
FETCHED = (*LIBRARIES, "libexpat1-dev")
COMPILER = "libgcc-12-dev-{}-cross"
"""What another architecture's compiler brings with it."""

COPYRIGHTS = {"libpython3.11-dev": "python3.11-minimal"}
"""Another package of the same source, where one has only a link to its copyright."""

DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}


class Root:
    """A directory with an architecture's libraries, and the compiler for it."""

    def __init__(
        self, directory: Path, architecture: str, packages: dict[str, str], gcc: str
    ) -> None:
        self.directory = directory
        self.architecture = architecture
        self.packages = packages
        """The version of each package."""
        self._gcc = gcc
        self._triplet = f"{architecture}-linux-gnu"

    def python_version(self) -> str:
        """Return the version of Debian's CPython."""
        return self.packages["libpython3.11-dev"]

    def compiler(self) -> str:
        """Return the name of the compiler."""
        return self._gcc

    def include(self, python: str) -> list[Path]:
        """Return where CPython's headers are, the architecture's own first."""
        headers = self.directory / "usr/include"
        # pyconfig.h of /usr/include/python3.11 includes the architecture's own.
        return [headers / python, headers]

    def library(self, python: str) -> Path:
        """Return CPython's static library."""
        name = f"lib{python}.a"
        config = f"config-{python.removeprefix('python')}-{self._triplet}"
        return self.directory / "usr/lib" / python / config / name

    def copyright(self, package: str) -> Path:
        """Return Debian's file with a package's licences.

        Raises:
            SystemExit: There is none.
        """
        name = COPYRIGHTS.get(package, package)
        for directory in (self.directory, Path("/")):
            path = directory / "usr/share/doc" / name / "copyright"
            if path.exists():
                return path
        raise SystemExit(f"/usr/share/doc/{name}/copyright is missing")

    def link_options(self) -> list[str]:
        """Return where the other libraries are."""
        if self.directory == Path("/"):
            return []
        libraries = self.directory / "usr/lib" / self._triplet
        return [f"-B{libraries}/", f"-L{libraries}"]


def installed() -> Root:
    """Return this machine's own.

    Raises:
        SystemExit: A package is missing.
    """
    architecture = _output("uname", "-m")
    versions = {}
    for package in INSTALLED:
        versions[package] = installed_version(package)
    return Root(Path("/"), architecture, versions, "gcc")


def installed_version(package: str) -> str:
    """Return the version of an installed package.

    Raises:
        SystemExit: It is not installed.
    """
    done = subprocess.run(  # noqa: S603 - one of those above
        ["dpkg-query", "-W", "-f", "${Version}", package],  # noqa: S607
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"this takes Debian 12: apt-get install {package}")
    return done.stdout


def fetch(architecture: str, directory: Path) -> Root:
    """Fetch another architecture's packages, without this machine's apt taking note."""
    state = directory / "apt"
    for name in "lists/partial", "archives/partial":
        (state / name).mkdir(parents=True, exist_ok=True)
    debian = DEBIAN[architecture]
    (state / "status").touch()
    options = [
        *("-o", f"APT::Architecture={debian}", "-o", f"APT::Architectures={debian}"),
        *("-o", f"Dir::State={state}", "-o", f"Dir::State::status={state}/status"),
        *("-o", f"Dir::Cache={state}", "-o", "Debug::NoLocking=1", "-qq"),
        *("-o", "APT::Sandbox::User=root"),
    ]
    archives = state / "archives"
    subprocess.run(["apt-get", *options, "update"], check=True)  # noqa: S603, S607
    subprocess.run(  # noqa: S603
        ["apt-get", *options, "download", *FETCHED],  # noqa: S607
        cwd=archives,
        check=True,
    )
    compiler = COMPILER.format(debian)
    versions = {compiler: installed_version(compiler)}
    for package in FETCHED:
        (archive,) = archives.glob(f"{package}_*_{debian}.deb")
        _output("dpkg", "-x", str(archive), str(directory))
        versions[package] = _output("dpkg-deb", "-f", str(archive), "Version")
    return Root(directory, architecture, versions, f"{architecture}-linux-gnu-gcc")


def _output(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout.strip()

"""Fetch AWS's Lambda Runtime Interface Emulator (RIE), out of the wheel of its SAM CLI.

AWS releases the RIE as a bare binary too, but the wheel comes from where everything
else this project needs comes from.
"""

import argparse
import hashlib
import platform
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REQUIREMENT = "aws-sam-cli==1.170.0"
# platform.machine() -> the wheel's word for it, and the binary's sha256
BINARIES = {
    "x86_64": (
        "x86_64",
        "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5",
    ),
    "aarch64": (
        "arm64",
        "ec2e5d09633d853834c008b1ef264bf834b258a94d551d2b2074966494b39a21",
    ),
}


def main() -> None:
    """Write the emulator to the path given on the command line, whole or not at all.

    Raises:
        SystemExit: There is none for this machine, or it is not the one we know.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="where to write the emulator")
    output: Path = parser.parse_args().output

    machine = platform.machine()
    if machine not in BINARIES:
        raise SystemExit(f"{REQUIREMENT} holds no Lambda emulator for {machine}")
    name, sha256 = BINARIES[machine]

    binary = download(f"samcli/local/rapid/aws-lambda-rie-{name}")
    found = hashlib.sha256(binary).hexdigest()
    if found != sha256:
        raise SystemExit(f"The Lambda emulator's sha256 is {found}, not {sha256}")

    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(f".{output.name}.new")
    partial.write_bytes(binary)
    partial.chmod(0o755)
    partial.replace(output)
    print(f"{output}: {REQUIREMENT}, {len(binary):,} bytes, sha256 {found}")


def download(member: str) -> bytes:
    """Read one file of the wheel."""
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(  # noqa: S603 - our own command
            [*pip, "--only-binary", ":all:", "--dest", directory, REQUIREMENT],
            check=True,
        )
        (wheel,) = Path(directory).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(member)


if __name__ == "__main__":
    main()

"""Fetch msgspec's sdist, in the version and with the hash of uv.lock."""

import hashlib
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parent.parent


def fetch_msgspec(cache: Path) -> Path:
    """Return the directory of its C sources, which stays in the cache.

    Raises:
        SystemExit: It is not the one of uv.lock.
    """
    lock = tomllib.loads((PROJECT / "uv.lock").read_text("utf-8"))
    (locked,) = [each for each in lock["package"] if each["name"] == "msgspec"]
    name = f"msgspec-{locked['version']}"
    archive = cache / f"{name}.tar.gz"
    if not archive.exists():
        cache.mkdir(parents=True, exist_ok=True)
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
        subprocess.run(  # noqa: S603 - our own command
            [
                *(*pip, "--no-binary", "msgspec", "--dest", str(cache)),
                name.replace("-", "==", 1),
            ],
            check=True,
        )
    digest = f"sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}"
    if digest != locked["sdist"]["hash"]:
        archive.unlink()
        raise SystemExit(f"{archive.name} is not the one of uv.lock: {digest}")
    sources = cache / name
    sources.mkdir(exist_ok=True)
    with tarfile.open(archive) as tar:
        for member in tar:
            path = Path(member.name)
            content = tar.extractfile(member)
            if (
                content
                and path.parent.name == "msgspec"
                and path.suffix in {".c", ".h"}
            ):
                (sources / path.name).write_bytes(content.read())
    return sources

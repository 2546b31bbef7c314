"""Tools in Python that not everybody needs, each in an environment of its own."""

import hashlib
import subprocess
import venv
from pathlib import Path

from tests.emulator import PROJECT


def installed(*requirements: str) -> Path:
    """Return where the programs are of an environment that has these."""
    state = hashlib.sha256(" ".join(requirements).encode()).hexdigest()[:16]
    here = PROJECT / ".cache/tools" / state
    if not (here / "complete").exists():
        venv.create(here, with_pip=True, clear=True)
        pip = [str(here / "bin/pip"), "install", "--quiet", *requirements]
        subprocess.run(pip, check=True)
        (here / "complete").touch()
    return here / "bin"

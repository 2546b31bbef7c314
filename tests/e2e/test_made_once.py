"""What several tests need, and the first of them builds."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.applications import made_once


def test_who_builds(tmp_path: Path):
    """A folder that many need at once is built by one, and complete for all."""
    builds: list[Path] = []

    def build(folder: Path) -> None:
        builds.append(folder)
        folder.mkdir()
        for number in range(100):
            (folder / str(number)).touch()

    def need(_: int) -> int:
        return len(list(made_once(tmp_path / "app", build).iterdir()))

    with ThreadPoolExecutor(16) as threads:
        seen = list(threads.map(need, range(16)))

    assert (seen, len(builds)) == ([100] * 16, 1)


def test_a_build_that_fails(tmp_path: Path):
    """What a build that failed has left is built again."""

    def fail(folder: Path) -> None:
        folder.mkdir()
        (folder / "half").touch()
        raise RuntimeError("half")

    with pytest.raises(RuntimeError, match="half"):
        made_once(tmp_path / "app", fail)
    here = made_once(tmp_path / "app", Path.mkdir)

    assert list(here.iterdir()) == []

"""``packages``: which of an application's packages the adapter can't use."""

import subprocess
import sys

import lambda_adapter
from lambda_adapter.packages import describe_conflicts
from tests.emulator import PROJECT


def test_no_conflicts():
    """Where the adapter's own packages are the ones found, there is no conflict."""
    assert describe_conflicts() == (
        "none of the packages is another one than the adapter's"
    )


def test_conflict(tmp_path):
    """A package of the application's that comes first is named with both versions."""
    for place, version in (("theirs", "1.0"), ("ours", "2.0")):
        info = tmp_path / place / f"trio-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: trio\nVersion: {version}\n")
    (tmp_path / "ours" / "lambda_adapter").symlink_to(lambda_adapter.__path__[0])
    code = "from lambda_adapter.packages import describe_conflicts as d; print(d())"
    run = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": f"{tmp_path / 'theirs'}:{tmp_path / 'ours'}"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )

    assert run.stdout == (
        "the application's packages come first: trio 1.0 (the adapter comes with 2.0)\n"
    )

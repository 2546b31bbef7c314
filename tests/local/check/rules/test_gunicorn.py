"""The settings with which gunicorn ends its workers after a freeze, or does not."""

import pytest

from lambda_adapter.local.check.rules.gunicorn import config_path, judge_gunicorn

COMMAND = ["python", "/bin/gunicorn", "app:app"]


@pytest.mark.parametrize(
    ("options", "config", "expected"),
    [
        ([], "", 30),
        (["--timeout", "0"], "", 0),
        (["--timeout=0"], "", 0),
        (["-t", "120"], "", 120),
        (["-t0"], "timeout = 60", 0),
        ([], "threads = 4\ntimeout = 0", 0),
        ([], "timeout = 20", 20),
        ([], "import os\ntimeout = int(os.environ['TIMEOUT'])", 0),
        ([], "not a program", 0),
    ],
)
def test_timeout(options: list[str], config: str, expected: int):
    """A timeout counts frozen time, unless it is 0 or the configuration computes it."""
    found = list(judge_gunicorn([*COMMAND, *options], 3, config))

    assert [each.kind for each in found] == ["thaw"] * bool(expected)
    assert all(f" {expected} s" in each.title for each in found)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "gunicorn.conf.py"),
        (["-c", "settings.py"], "settings.py"),
        (["--config=/etc/gunicorn.py"], "/etc/gunicorn.py"),
    ],
)
def test_config_path(options: list[str], expected: str):
    """The configuration is the file that the command names, or the default one."""
    assert config_path([*COMMAND, *options]) == expected

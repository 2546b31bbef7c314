"""``processes``: what /proc says of each process."""

import os
import subprocess

import pytest

from lambda_adapter.apps.processes import ENDED, list_processes, parse_stat


@pytest.mark.parametrize("command", ["python", "a b", ") R 1 1 (", "\n", ""])
def test_parse_stat(command):
    """A process is told by its parent and its group, whatever it calls itself."""
    stat = parse_stat(f"40 ({command}) S 30 20 10 0 -1 4194560")

    assert (stat.parent, stat.group) == (30, 20)
    assert (stat.pid, stat.state) == (40, "S")


def test_list_processes():
    """Processes are listed with their parents and groups, zombies as well."""
    with subprocess.Popen(["true"], process_group=0) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        found = {each.pid: each for each in list_processes()}

        assert found[os.getpid()].group == os.getpgid(0)
        zombie = found[process.pid]
        assert (zombie.parent, zombie.group) == (os.getpid(), process.pid)
        assert zombie.state in ENDED

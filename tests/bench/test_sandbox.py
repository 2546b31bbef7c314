"""The sandbox's figures can be taken."""

import sys

import pytest
from bench.sandbox import main


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has sandboxes")
@pytest.mark.usefixtures("unmeasured")
def test_starts(capsys: pytest.CaptureFixture[str]):
    """A start is measured without a sandbox, with namespaces and without them."""
    main(["--rounds", "1", "--part", "start"])

    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        *("start, no sandbox", "start, namespaces", "start, no namespaces"),
    ]

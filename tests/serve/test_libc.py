"""``libc``: functions of the C library, by their names."""

import subprocess
import sys

import pytest

from lambda_adapter.serve.libc import call


def test_call():
    """A function is called with these numbers, and what it returns comes back."""
    assert call("abs", -3) == 3


def test_no_such_function():
    """A function that the C library lacks is an AttributeError or an OSError."""
    with pytest.raises((OSError, AttributeError)):
        call("lambda_adapter")


def test_without_ctypes():
    """A Python that can't call it says so."""
    program = (
        "import sys; sys.modules['_ctypes'] = None\n"
        "from lambda_adapter.serve.libc import call\n"
        "try: call('abs', -3)\n"
        "except ImportError: print('none')"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert run.stdout == "none\n"

"""This module's classes as C has them, which is what it gives out itself.

The classes in Python that it defines before and then replaces take 3 M instructions.
"""

from _datetime import *  # type: ignore[import-not-found] # noqa: F403 - as it does

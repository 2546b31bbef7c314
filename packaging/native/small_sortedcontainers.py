"""What trio's core takes of this package, for tasks that wait until all others do.

No task of the adapter waits so, and the dictionary is empty.
"""

from __future__ import annotations


class SortedDict(dict[object, object]):
    """A dictionary in the order of its keys, of which there are none."""

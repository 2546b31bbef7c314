"""A process that does not outlive its test."""

import subprocess
from types import TracebackType
from typing import AnyStr


class Process(subprocess.Popen[AnyStr]):
    """A process that is killed at the end of its block, if it has not ended.

    ``Popen`` would wait for one that a failed test has left: for ever.
    """

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        super().__exit__(kind, error, traceback)

"""Importing what runs an application in this process, beside its packages.

Imported only where one does. Shell.
"""

from __future__ import annotations

import gc

from lambda_adapter.errors import UnsupportedPythonError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_adapter.cli import Serve


def load_serve(load: Callable[[], None]) -> Serve:
    """Import what serves the application, and return it; ``load`` is called before.

    Raises:
        UnsupportedPythonError: it can't be imported beside the application's packages.
    """
    gc.disable()  # what is imported is no garbage
    load()
    try:
        from lambda_adapter.serve import trio_front

        trio_front.import_all_of_trio()
        from lambda_adapter.serve import supervisor
    except Exception as error:  # whatever an old package brings about
        from lambda_adapter.packages import describe_conflicts

        raise UnsupportedPythonError(
            f"the adapter can't be imported beside the application:"
            f" {type(error).__name__}: {error}; {describe_conflicts()}"
        ) from error
    gc.freeze()
    gc.enable()
    return supervisor.run

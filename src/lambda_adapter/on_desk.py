"""``lambda-adapter local``: the extra of that name, where it is installed. Shell."""

from __future__ import annotations

from lambda_adapter.complaints import complain

EX_USAGE = 64
"""sysexits.h"""


def run(argv: list[str]) -> int:
    """Run the application as a function on this machine: the extra ``local``."""
    try:
        from lambda_adapter.local.commands import main
    except ImportError as error:
        complain(
            f"`local` is not in this installation ({error}); install the adapter with"
            " `pip install '.[local]'`, from a checkout of its repository"
        )
        return EX_USAGE
    return main(argv)

"""``lambda-adapter local``: the commands. Shell."""

from collections.abc import Sequence

import click

from lambda_adapter.local import serve_command

INTERRUPTED = 130
"""Exit status of what SIGINT ended, as from a shell."""


def main(argv: Sequence[str]) -> int:
    """Run a command line, less its ``local``, and return the exit status."""
    command, name = serve_command.COMMAND, "lambda-adapter local"
    try:
        status = command.main(list(argv), name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        return INTERRUPTED
    return int(status or 0)

"""``lambda-adapter local``: the commands. Shell."""

from collections.abc import Sequence

import click

from lambda_adapter.local import events_command, invoke_command, serve_command

INTERRUPTED = 130
"""Exit status of what SIGINT ended, as from a shell."""


def main(argv: Sequence[str]) -> int:
    """Run a command line, less its ``local``, and return the exit status."""
    words, name = list(argv), "lambda-adapter local"
    command = serve_command.COMMAND
    if words[:1] == ["invoke"]:
        command, words = invoke_command.COMMAND, words[1:]
    elif words[:1] == ["events"]:
        command, words = events_command.COMMAND, words[1:]
    if command is not serve_command.COMMAND:
        name = f"{name} {command.name}"
    try:
        status = command.main(words, name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        return INTERRUPTED
    return int(status or 0)

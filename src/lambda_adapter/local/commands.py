"""``lambda-adapter local``: the commands. Shell."""

from collections.abc import Sequence

import click

INTERRUPTED = 130
"""Exit status of what SIGINT ended, as from a shell."""


def main(argv: Sequence[str]) -> int:
    """Run a command line, less its ``local``, and return the exit status."""
    words, name = list(argv), "lambda-adapter local"
    if words[:1] in (["invoke"], ["events"]):
        name = f"{name} {words.pop(0)}"
    try:
        status = _load(name).main(words, name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        return INTERRUPTED
    return int(status or 0)


def _load(name: str) -> click.Command:
    """Import a command, and none of the others."""
    match name.rpartition(" ")[2]:
        case "invoke":
            from lambda_adapter.local import invoke_command

            return invoke_command.COMMAND
        case "events":
            from lambda_adapter.local import events_command

            return events_command.COMMAND
        case _:
            from lambda_adapter.local import serve_command

            return serve_command.COMMAND

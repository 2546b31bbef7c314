"""``lambda-adapter local``: choose the command and run it."""

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from lambda_adapter.local.cli_options import reporter
from lambda_adapter.local.output import BROKEN_PIPE, GONE, Output, silence
from lambda_adapter.local.ports import SetupError
from lambda_adapter.local.project_file import Project, read_project

INTERRUPTED = 130
"""Exit status after SIGINT, as from a shell."""

EX_USAGE = 64
"""Exit status of a command line that can't be read, as the adapter's own: sysexits.h"""

COMMANDS = {
    "invoke": "invoke_command",
    "events": "events_command",
    "check": "check.command",
    "completion": "completion",
}
"""The commands of `local` and their modules; any other first word is COMMAND's."""

WITHOUT_FUNCTION = frozenset({"events", "completion"})
"""The commands that run no function, so that pyproject.toml does not matter."""


def main(argv: Sequence[str]) -> int:
    """Run a command line without its ``local``, and return the exit status."""
    words = list(argv)
    name = words.pop(0) if words and words[0] in COMMANDS else ""
    try:
        project = Project() if name in WITHOUT_FUNCTION else read_project()
        status = load(name).main(
            words,
            f"lambda-adapter local {name}".rstrip(),
            standalone_mode=False,
            obj=project,
            default_map=project.options,
        )
        sys.stdout.flush()
    except SetupError as error:
        output = Output(sys.stdout)
        reporter(output, as_json="--json" in words).failure(str(error))
        return 1
    except OSError as error:
        if error.errno not in GONE:
            raise
        silence()
        return BROKEN_PIPE
    except click.UsageError as error:
        error.show()
        return EX_USAGE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        return INTERRUPTED
    return int(status or 0)


def load(name: str) -> click.Command:
    """Import a command and no other; "" is the one that serves."""
    module = import_module(f"{__package__}.{COMMANDS.get(name, 'serve_command')}")
    command = module.COMMAND
    if not isinstance(command, click.Command):
        raise TypeError(command)
    return command

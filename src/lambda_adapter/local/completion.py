"""``lambda-adapter local completion SHELL``: completion for bash, zsh and fish.

The shells run the hidden ``completion --words``, which prints one candidate a line.
click's own scripts don't fit: they run the program without arguments, which is the
adapter that serves, and not this command.
"""

from collections.abc import Sequence

import click
from click.shell_completion import ShellComplete

from lambda_adapter.command_line import OPTIONS
from lambda_adapter.local.cli import COMMANDS, load
from lambda_adapter.local.cli_options import SETTINGS, VERSION

FILES = "\t"
"""A line that is no candidate: it makes the shell complete file names."""

TOP = ("local", *OPTIONS, "--version", "--help")
"""The first words of the adapter itself."""

BASH = """\
_lambda_adapter() {
    local line words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    COMPREPLY=()
    while IFS= read -r line; do
        if [ "$line" = $'\\t' ]; then compopt -o default 2>/dev/null
        else COMPREPLY+=("$line"); fi
    done < <("${COMP_WORDS[0]}" local completion --words -- "${words[@]}" 2>/dev/null)
}
complete -F _lambda_adapter lambda-adapter
"""

ZSH = """\
#compdef lambda-adapter
_lambda_adapter() {
    local line
    local -a found
    local -a line_words=("${(@)words[2,CURRENT]}")
    local said="$($words[1] local completion --words -- "$line_words[@]" 2>/dev/null)"
    for line in "${(@f)said}"; do
        if [[ "$line" == $'\\t' ]]; then _files
        elif [[ -n "$line" ]]; then found+=("$line"); fi
    done
    compadd -- "${found[@]}"
}
compdef _lambda_adapter lambda-adapter
"""

FISH = """\
function __lambda_adapter
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] local completion --words -- $words[2..] 2>/dev/null)
        if test "$line" = \\t
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c lambda-adapter -f -a '(__lambda_adapter)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def candidates(words: Sequence[str]) -> list[str]:
    """Return the candidates for the last word of a command line.

    ``words`` are those after the program's name, the unfinished one included.
    """
    *before, unfinished = words or [""]
    if before[:1] != ["local"]:
        found = [] if before else [word for word in TOP if word.startswith(unfinished)]
        return found or [FILES]
    rest = before[1:]
    if rest[:1] and rest[0] in COMMANDS:
        command, rest = load(rest[0]), rest[1:]
        first: list[str] = []
    else:
        command = load("")
        first = [] if rest else [w for w in COMMANDS if w.startswith(unfinished)]
    shell = ShellComplete(command, {}, "lambda-adapter", "")
    items = shell.get_completions(list(rest), unfinished)
    return first + [_complete_value(item.type, str(item.value)) for item in items] or [
        FILES
    ]


def _complete_value(kind: str, value: str) -> str:
    return value if kind == "plain" else FILES


def completion(shell: str | None, *, words: bool, line: tuple[str, ...]) -> int:
    """Print a shell's script, or the candidates for a line."""
    if words:
        given = [shell, *line] if shell is not None else list(line)
        click.echo("\n".join(dict.fromkeys(candidates(given))))
        return 0
    if shell not in SCRIPTS or line:
        raise click.UsageError(f"SHELL is one of {', '.join(SCRIPTS)}")
    click.echo(SCRIPTS[shell], nl=False)
    return 0


COMMAND = click.Command(
    "completion",
    SETTINGS | {"ignore_unknown_options": True},
    callback=completion,
    params=[
        click.Option(["--words"], is_flag=True, hidden=True),
        VERSION,
        click.Argument(
            ["shell"],
            required=False,
            metavar="bash|zsh|fish",
            shell_complete=lambda context, argument, word: [
                shell for shell in SCRIPTS if shell.startswith(word)
            ],
        ),
        click.Argument(["line"], nargs=-1, type=click.UNPROCESSED, metavar=""),
    ],
    help="Print a script that completes command lines in a shell."
    "\n\nbash: source <(lambda-adapter local completion bash)"
    "\n\nzsh, after compinit: source <(lambda-adapter local completion zsh)"
    "\n\nfish: lambda-adapter local completion fish | source",
)

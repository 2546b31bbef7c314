"""``lambda-adapter local events [KIND]``: print an example event."""

import click
import msgspec

from lambda_adapter.local.cli_options import SETTINGS, VERSION
from lambda_adapter.local.samples import KINDS, sample


def events(kind: str | None, path: str) -> int:
    """Print an event, or the list of kinds."""
    if kind is None:
        click.echo("\n".join(KINDS))
        return 0
    document = msgspec.json.encode(sample(kind, path))
    click.echo(msgspec.json.format(document, indent=2))
    return 0


COMMAND = click.Command(
    "events",
    SETTINGS | {"allow_interspersed_args": True},
    callback=events,
    params=[
        click.Argument(
            ["kind"], type=click.Choice(KINDS), required=False, metavar="[KIND]"
        ),
        click.Option(
            ["--path"],
            default="/",
            show_default=True,
            help="The path, and query, of an HTTP event.",
        ),
        VERSION,
    ],
    help="Print an example event of a KIND; without a KIND, list all kinds."
    f"\n\nKIND: {', '.join(KINDS)}.",
    short_help="Print an example event.",
)

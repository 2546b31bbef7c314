"""Make the command line's options from the table of options."""

from collections.abc import Iterable, Mapping

import click
from msgspec import inspect
from rich.console import Console

from lambda_adapter import __version__
from lambda_adapter.local.option_table import Flag, Given, flags
from lambda_adapter.local.output import Output
from lambda_adapter.local.read_options import BadOptionError, read_given
from lambda_adapter.local.reporters import ConsoleReporter, JsonReporter

Reporter = ConsoleReporter | JsonReporter

SETTINGS = {
    "allow_interspersed_args": False,
    "help_option_names": ["-h", "--help"],
    "max_content_width": 88,
}
"""Everything after COMMAND belongs to it, even ``--``."""

MISSING = (
    "Missing argument 'COMMAND [ARG]...': what starts the application, such as"
    " `-- gunicorn app:app`; or --asgi main:app, or --wsgi app:app"
)


def _print_version(context: click.Context, _: click.Parameter, *, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(f"lambda-adapter {__version__}")
        context.exit()


VERSION = click.Option(
    ["-V", "--version"],
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=lambda context, option, value: _print_version(
        context, option, value=value
    ),
    help="Print the version.",
)


class WordedOption(click.Option):
    """An option whose default and range the help shows as people write them."""

    def get_help_extra(self, ctx: click.Context) -> click.types.OptionHelpExtra:
        """Return what the help shows in brackets."""
        extra = super().get_help_extra(ctx)
        if "default" in extra:
            default = extra["default"].removesuffix(".0")
            extra["default"] = default.removeprefix("(").removesuffix(")")
        if isinstance(self.type, click.IntRange | click.FloatRange):
            extra["range"] = f"{self.type.min:g} to {self.type.max:.0f}"
        return extra


def click_options(*, only_invoke: bool = False) -> list[click.Parameter]:
    """Return the table's options for click."""
    shown = flags()
    described = inspect.type_info(Given)
    if not isinstance(described, inspect.StructType):
        raise TypeError(described)
    return [
        _option(field, shown[field.name])
        for field in described.fields
        if shown[field.name].in_invoke or not only_invoke
    ]


def _option(field: inspect.Field, flag: Flag) -> click.Option:
    name = f"--{field.encode_name}"
    if isinstance(field.type, inspect.BoolType):
        return click.Option(
            [f"{name}/--no-{field.encode_name}", field.name], help=flag.help
        )
    is_list = isinstance(field.type, inspect.VarTupleType)
    return WordedOption(
        [name, *flag.aliases, field.name],
        type=_choice(flag) or _type(field.type),
        multiple=is_list,
        default=None if is_list else field.default,
        show_default=flag.default or bool(field.default),
        metavar=flag.metavar or None,
        help=flag.help,
        is_flag=False,
        flag_value=flag.flag_value,
    )


class _OptionalPort(click.IntRange):
    """An optional port: without it, the next word must not be taken for one."""

    def convert(
        self, value: int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the port."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            message = f"{value!r} is not a port; put -- before a COMMAND that follows"
            self.fail(message, param, ctx)


def _choice(flag: Flag) -> click.Choice[str] | _OptionalPort | None:
    if flag.flag_value is not None:
        return _OptionalPort(0, 65_535)
    return click.Choice(flag.choices) if flag.choices else None


def _type(kind: inspect.Type) -> click.IntRange | click.FloatRange | None:
    if isinstance(kind, inspect.UnionType):
        kind = kind.types[0]
    match kind:
        case inspect.IntType():
            return click.IntRange(kind.ge, kind.le)
        case inspect.FloatType():
            return click.FloatRange(kind.ge, kind.le)
        case _:
            return None


def read_click(given: Mapping[str, object]) -> Given:
    """Return the options as click has read them.

    Raises:
        UsageError: a value is invalid, or two options contradict each other.
    """
    said = {
        name: tuple(_split_lists(value)) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value is not None
    }
    try:
        options = read_given(said)
    except BadOptionError as error:
        raise click.UsageError(str(error)) from error
    if options.cold and options.concurrency > 1:
        raise click.UsageError("--cold and --concurrency exclude each other")
    if options.asgi and options.wsgi:
        raise click.UsageError("--asgi and --wsgi exclude each other: give one")
    if options.payload is not None and not options.microvm:
        raise click.UsageError("--payload needs --microvm")
    if options.microvm and (others := sorted(_not_for_microvms(options))):
        raise click.UsageError(f"--microvm and --{others[0]} exclude each other")
    return options


def _not_for_microvms(options: Given) -> set[str]:
    """Return the options that are set, and have no meaning for a MicroVM."""
    given = {
        "cold": options.cold,
        "concurrency": options.concurrency > 1,
        "debug": options.debug is not None,
        "environments": options.environments > 1,
        "freeze": options.freeze,
        "profile-imports": options.profile_imports,
        "reload": options.reload,
        "sandbox": options.sandbox,
    }
    return {name for name, is_given in given.items() if is_given}


def _split_lists(values: Iterable[object]) -> Iterable[str]:
    for value in values:
        yield from filter(None, (word.strip() for word in str(value).split(",")))


def reporter(output: Output, *, as_json: bool) -> Reporter:
    """Return the reporter for people, or the one for programs."""
    if as_json:
        return JsonReporter(output)
    # rich asks of a file no more than what an Output has.
    return ConsoleReporter(Console(file=output))  # type: ignore[arg-type]

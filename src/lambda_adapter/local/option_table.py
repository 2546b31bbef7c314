"""The options of ``lambda-adapter local``, a field each.

A field here is all that an option needs: the command line, the table
``[tool.lambda-adapter.local]`` of pyproject.toml and the help are made of it, and it is
an attribute of ``Options``. A keyword of the pytest fixtures is a line more, in
``AppOptions``, for type checkers. A test holds docs/local.md to this table.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Literal, TypedDict, get_type_hints

import msgspec
from msgspec import Meta

from lambda_adapter.local.gateways import GATEWAYS

FUNCTION = "function"
"""The function's name unless another is given; that of AWS's emulator."""


Port = Annotated[int, Meta(ge=1, le=65_535)]
AnyPort = Annotated[int, Meta(ge=0, le=65_535)]


class Flag(msgspec.Struct, frozen=True):
    """What the command line needs to know of an option beside its type."""

    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    default: str = ""
    """The default as the help describes it, where it is not the field's."""
    flag_value: int | None = None
    """What the option means without a value, where it may have none."""
    in_invoke: bool = False
    """Whether ``local invoke`` has the option as well."""


class Given(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="kebab",
    forbid_unknown_fields=True,
):
    """The options that were given, the rest at their defaults."""

    asgi: Annotated[
        str,
        Flag(
            "An ASGI application to run in the adapter's process, such as main:app.",
            metavar="APP",
            in_invoke=True,
        ),
    ] = ""
    wsgi: Annotated[
        str, Flag("The same for a WSGI application.", metavar="APP", in_invoke=True)
    ] = ""
    app_dir: Annotated[
        str,
        Flag("Where either is imported from.", metavar="FOLDER", in_invoke=True),
    ] = ""
    gateway: Annotated[
        str,
        Flag(
            f"The gateway: {', '.join(GATEWAYS)}.",
            metavar="KIND",
            choices=tuple(GATEWAYS),
            aliases=("--event",),
        ),
    ] = "http-api"
    invoke_mode: Annotated[
        Literal["buffered", "response_stream"] | None,
        Flag(
            "Whole replies, or streamed ones.",
            choices=("buffered", "response_stream"),
            default="AWS_LWA_INVOKE_MODE, or buffered",
            in_invoke=True,
        ),
    ] = None
    stage: Annotated[str, Flag("The stage of an API.", metavar="NAME")] = "$default"
    binary_media_types: Annotated[
        tuple[str, ...],
        Flag("The binary types of a REST API: image/*,font/*.", metavar="LIST"),
    ] = ()
    port: Annotated[
        AnyPort,
        Flag("The port of the gateway; 0 for any that is free.", metavar="PORT"),
    ] = 9000
    allowed_hosts: Annotated[
        tuple[str, ...],
        Flag(
            "Names that requests and pages may have beside localhost; * for any.",
            metavar="LIST",
        ),
    ] = ()
    app_port: Annotated[
        Port | None,
        Flag(
            "The port that COMMAND listens on; its PORT.",
            metavar="PORT",
            default="AWS_LWA_PORT, PORT, or 8080",
            in_invoke=True,
        ),
    ] = None
    env_file: Annotated[
        tuple[str, ...],
        Flag(
            "A file of variables, NAME=value; the shell's own come first.",
            metavar="FILE",
            in_invoke=True,
        ),
    ] = ()
    function_name: Annotated[
        str,
        Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$"),
        Flag("The function's name.", metavar="NAME", in_invoke=True),
    ] = FUNCTION
    timeout: Annotated[
        float,
        Meta(ge=0.1, le=900),
        Flag("The timeout of the function.", metavar="SECONDS", in_invoke=True),
    ] = 30.0
    memory: Annotated[
        int,
        Meta(ge=128, le=10_240),
        Flag(
            "The memory size to report; --sandbox limits memory and CPU to it.",
            metavar="MB",
            in_invoke=True,
        ),
    ] = 1024
    sandbox: Annotated[
        bool,
        Flag(
            "Take away what Lambda takes away: disk, CPU, memory and more.",
            in_invoke=True,
        ),
    ] = False
    tmp_size: Annotated[
        int,
        Meta(ge=1, le=10_240),
        Flag("The size of /tmp in the sandbox.", metavar="MB", in_invoke=True),
    ] = 512
    init_cpu: Annotated[
        Annotated[float, Meta(ge=0.05, le=6)] | None,
        Flag(
            "vCPU until it is ready in the sandbox, for who counts on more.",
            metavar="N",
            default="what the memory brings",
            in_invoke=True,
        ),
    ] = None
    debug: Annotated[
        AnyPort | None,
        Flag(
            "Wait for a debugger's client at this port; no timeouts meanwhile.",
            metavar="[PORT]",
            default="5678 for Python, 9229 for Node.js",
            flag_value=0,
        ),
    ] = None
    profile_imports: Annotated[
        bool, Flag("List the imports that the first response did not need.")
    ] = False
    freeze: Annotated[bool, Flag("Stop all processes between invocations.")] = False
    cold: Annotated[bool, Flag("Start a new environment for each request.")] = False
    environments: Annotated[
        int,
        Meta(ge=1, le=100),
        Flag("Environments at most, each with its own PORT.", metavar="N"),
    ] = 1
    concurrency: Annotated[
        int,
        Meta(ge=1, le=1000),
        Flag(
            "Concurrent invocations in an environment, as on Managed Instances.",
            metavar="N",
        ),
    ] = 1
    reload: Annotated[bool, Flag("Restart when a source file changes.")] = False
    reload_dir: Annotated[
        tuple[str, ...],
        Flag("A folder to watch; otherwise the working directory.", metavar="FOLDER"),
    ] = ()
    reload_include: Annotated[
        tuple[str, ...],
        Flag("What restarts beside source files: *.json.", metavar="PATTERN"),
    ] = ()
    reload_exclude: Annotated[
        tuple[str, ...],
        Flag("What never restarts: migrations/*.", metavar="PATTERN"),
    ] = ()
    json: Annotated[bool, Flag("Print one JSON object a line.")] = False


class AppOptions(TypedDict, total=False):
    """The options of the pytest fixtures; ``local --help`` has what they mean."""

    gateway: str
    event: str
    """Another name of ``gateway``."""
    invoke_mode: Literal["buffered", "response_stream"]
    stage: str
    binary_media_types: Sequence[str]
    allowed_hosts: Sequence[str]
    app_dir: str
    app_port: int
    """Where the application listens; otherwise on ``$PORT``, which is a free one."""
    env_file: Sequence[str]
    function_name: str
    timeout: float
    debug: int
    """The port at which a debugger waits for its client, 0 for the usual one."""
    memory: int
    environments: int
    concurrency: int
    cold: bool
    freeze: bool
    sandbox: bool
    tmp_size: int
    init_cpu: float
    env: Mapping[str, str]
    """Variables beside those of this process."""
    cwd: str


OWN = frozenset({"env", "cwd", "event"})
"""What only the fixtures have."""


class BadOptionError(ValueError):
    """An option that does not exist, or a value that it can't have."""


def flags() -> dict[str, Flag]:
    """Return what the command line shows of each field."""
    hints = get_type_hints(Given, include_extras=True)
    return {
        name: next(each for each in hint.__metadata__ if isinstance(each, Flag))
        for name, hint in hints.items()
    }


def read_given(given: Mapping[str, object]) -> Given:
    """Return options that were given by name, with ``-`` or ``_`` between words.

    Raises:
        BadOptionError: one does not exist, or has a value that it can't have.
    """
    named = {name.replace("_", "-"): value for name, value in given.items()}
    if "event" in named:
        named.setdefault("gateway", named.pop("event"))
    known = [field.encode_name for field in msgspec.structs.fields(Given)]
    for name in named:
        if name not in known:
            raise BadOptionError(f"there is no option {name}{suggest(name, known)}")
    for name, flag in flags().items():
        value = named.get(name.replace("_", "-"))
        if flag.choices and value is not None and value not in flag.choices:
            near = suggest(str(value), list(flag.choices))
            listed = ", ".join(flag.choices)
            raise BadOptionError(f"{name} {value!r} is not one of {listed}{near}")
    try:
        return msgspec.convert(named, Given)
    except msgspec.ValidationError as error:
        raise BadOptionError(str(error).replace(" - at `$.", ", for `")) from error


def suggest(name: str, known: Sequence[str]) -> str:
    """Return a question that names what was probably meant, or nothing."""
    near = get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}?" if near else ""

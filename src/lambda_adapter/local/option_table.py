"""The options of ``lambda-adapter local``, one field each.

An option needs nothing else: the command line, the table
``[tool.lambda-adapter.local]`` of pyproject.toml, the help and the attribute of
``Options`` are made from its field. A keyword of the pytest fixtures needs another line
in ``AppOptions``, for type checkers. A test compares docs/local.md with this table.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypedDict, get_type_hints

import msgspec
from msgspec import Meta

from lambda_adapter.local.gateways import GATEWAYS

FUNCTION = "function"
"""The function's default name, the same as in AWS's emulator."""

FUNCTION_NAME = r"^[A-Za-z0-9_-]{1,64}$"

Port = Annotated[int, Meta(ge=1, le=65_535)]
AnyPort = Annotated[int, Meta(ge=0, le=65_535)]


class Flag(msgspec.Struct, frozen=True):
    """What the command line needs to know about an option besides its type."""

    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    default: str = ""
    """The default in words for the help, if the field's own does not say it."""
    flag_value: int | None = None
    """The value if the option is given without one, for options that allow it."""
    in_invoke: bool = False
    """Whether ``local invoke`` accepts the option as well."""


class Given(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="kebab",
    forbid_unknown_fields=True,
):
    """The given options; all others have their defaults."""

    asgi: Annotated[
        str,
        Flag(
            "An ASGI application to run in the adapter's process, such as main:app.",
            metavar="APP",
            in_invoke=True,
        ),
    ] = ""
    wsgi: Annotated[
        str,
        Flag(
            "A WSGI application to run there, such as main:app.",
            metavar="APP",
            in_invoke=True,
        ),
    ] = ""
    app_dir: Annotated[
        str,
        Flag("The folder to import either from.", metavar="FOLDER", in_invoke=True),
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
        Flag(
            "The binary media types of a REST API, such as image/*,font/*.",
            metavar="LIST",
        ),
    ] = ()
    port: Annotated[
        AnyPort,
        Flag("The port of the gateway; 0 for any that is free.", metavar="PORT"),
    ] = 9000
    allowed_hosts: Annotated[
        tuple[str, ...],
        Flag(
            "Hosts to allow in requests and pages, besides localhost; * for any.",
            metavar="LIST",
        ),
    ] = ()
    app_port: Annotated[
        Port | None,
        Flag(
            "The port that COMMAND listens on, which is its PORT.",
            metavar="PORT",
            default="AWS_LWA_PORT, PORT, or 8080",
            in_invoke=True,
        ),
    ] = None
    env_file: Annotated[
        tuple[str, ...],
        Flag(
            "A file of variables, NAME=value; the shell's own take precedence.",
            metavar="FILE",
            in_invoke=True,
        ),
    ] = ()
    function_name: Annotated[
        str,
        Meta(pattern=FUNCTION_NAME),
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
            "Impose Lambda's limits: disk, CPU, memory and more.",
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
            "vCPU in the sandbox until the application is ready.",
            metavar="N",
            default="by the memory size",
            in_invoke=True,
        ),
    ] = None
    debug: Annotated[
        AnyPort | None,
        Flag(
            "Wait for a debugger to attach at this port; disable timeouts.",
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
        Flag("Maximum number of environments, each with its own PORT.", metavar="N"),
    ] = 1
    concurrency: Annotated[
        int,
        Meta(ge=1, le=1000),
        Flag(
            "Concurrent invocations in an environment, as on Managed Instances.",
            metavar="N",
        ),
    ] = 1
    microvm: Annotated[
        bool, Flag("Run COMMAND as a MicroVM, and play Lambda's side of its hooks.")
    ] = False
    payload: Annotated[
        Annotated[str, Meta(max_length=16_384)] | None,
        Flag("The payload that a MicroVM is run with.", metavar="TEXT"),
    ] = None
    reload: Annotated[bool, Flag("Restart when a source file changes.")] = False
    reload_dir: Annotated[
        tuple[str, ...],
        Flag("A folder to watch instead of the working directory.", metavar="FOLDER"),
    ] = ()
    reload_include: Annotated[
        tuple[str, ...],
        Flag("More files that cause a restart, such as *.json.", metavar="PATTERN"),
    ] = ()
    reload_exclude: Annotated[
        tuple[str, ...],
        Flag(
            "Files that never cause a restart, such as migrations/*.", metavar="PATTERN"
        ),
    ] = ()
    json: Annotated[bool, Flag("Print one JSON object per line.")] = False


class AppOptions(TypedDict, total=False):
    """The options of the pytest fixtures; ``local --help`` has what they mean."""

    gateway: str
    event: str
    """Another name for ``gateway``."""
    invoke_mode: Literal["buffered", "response_stream"]
    stage: str
    binary_media_types: Sequence[str]
    allowed_hosts: Sequence[str]
    app_dir: str
    app_port: int
    """The application's port; by default a free one, which is in ``$PORT``."""
    env_file: Sequence[str]
    function_name: str
    timeout: float
    debug: int
    """The port at which a debugger waits for its client, 0 for the default one."""
    memory: int
    environments: int
    concurrency: int
    cold: bool
    freeze: bool
    sandbox: bool
    tmp_size: int
    init_cpu: float
    env: Mapping[str, str]
    """Variables in addition to those of this process."""
    cwd: str


class MicroVMOptions(TypedDict, total=False):
    """The options of the fixture ``lambda_microvm``."""

    payload: str
    app_dir: str
    app_port: int
    """Where the application listens; otherwise on ``$PORT``, which is a free one."""
    env_file: Sequence[str]
    env: Mapping[str, str]
    """Variables beside those of this process."""
    cwd: str


OWN = frozenset({"env", "cwd", "event"})
"""Options that only the fixtures have."""


def flags() -> dict[str, Flag]:
    """Return the ``Flag`` of each field."""
    hints = get_type_hints(Given, include_extras=True)
    return {
        name: next(each for each in hint.__metadata__ if isinstance(each, Flag))
        for name, hint in hints.items()
    }

"""The options of `lambda-adapter local`, with the environment made from them."""

import shlex
from collections.abc import Mapping, Sequence
from math import ceil

from lambda_adapter.command_line import read_options
from lambda_adapter.config import Config
from lambda_adapter.local.gateways import GATEWAYS
from lambda_adapter.local.gateways.gateway import ACCOUNT, REGION, Gateway
from lambda_adapter.local.option_table import FUNCTION, Given
from lambda_adapter.local.sandbox.limits import Limits
from lambda_adapter.settings import PREFIX, RUNTIME_API

INIT_TIMEOUT = 10.0
"""Timeout of an init, in seconds:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib"""


APPLICATIONS = frozenset({"AWS_LWA_ASGI_APP", "AWS_LWA_WSGI_APP"})
"""The settings that name an application for the adapter's process."""


class Options(Given, frozen=True):
    """A function, and the gateway before it."""

    command: tuple[str, ...]
    environ: dict[str, str]
    """The function's environment, including Lambda's own variables."""
    init_timeout: float = INIT_TIMEOUT
    profile_socket: str = ""
    """Where `local` is told what was imported, for --profile-imports."""
    cwd: str | None = None

    @property
    def limits(self) -> Limits:
        """The limits of its sandbox, if it has one."""
        return Limits(self.memory, self.tmp_size, self.init_cpu)

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    @property
    def is_debugged(self) -> bool:
        """Whether a debugger or a profile slows it, so that no timeout counts."""
        return self.debug is not None or self.profile_imports

    @property
    def config(self) -> Config:
        """The configuration that the adapter will have.

        Raises:
            ConfigError: a setting can't be used.
        """
        return Config(self.environ)

    @property
    def shown(self) -> str:
        """The application, as it was named."""
        config = self.config
        for option, name in (("--asgi", config.asgi_app), ("--wsgi", config.wsgi_app)):
            if name:
                return f"{option} {name}"
        return shlex.join(self.command)

    @property
    def entrance(self) -> str:
        """What is in front of the application: a gateway's kind, or ``microvm``."""
        return "microvm" if self.microvm else self.gateway

    def open_gateway(self) -> Gateway:
        """Return the gateway in front of the function."""
        return GATEWAYS[self.gateway](self.stage, self.binary_media_types)

    def environ_of(self, port: int, runtime_api: str) -> dict[str, str]:
        """Return the variables of one environment, with its application's port."""
        environ = self.environ | {"PORT": str(port)}
        if "AWS_LWA_PORT" in environ:  # which is stronger
            environ["AWS_LWA_PORT"] = str(port)
        if self.concurrency > 1:
            environ["AWS_LAMBDA_MAX_CONCURRENCY"] = str(self.concurrency)
        return environ | {"AWS_LAMBDA_RUNTIME_API": runtime_api}


def read_command(
    words: Sequence[str], environ: Mapping[str, str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Split a command line into the command and the adapter's options, as settings.

    Raises:
        OptionError: there is no such option, or one has no value.
    """
    settings, rest = read_options(list(words))
    return tuple(rest), {**environ, **settings}


ENCODINGS = frozenset({"PYTHONIOENCODING", "LC_ALL", "LC_CTYPE"})
"""Variables that describe this terminal, while the log is always UTF-8."""


def function_environ(
    environ: Mapping[str, str],
    *,
    app_port: int | None = None,
    invoke_mode: str | None = None,
    memory: int = 1024,
    function_name: str = FUNCTION,
) -> dict[str, str]:
    """Return an environment with the variables that Lambda and the options set.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    """
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or REGION
    made = {
        **{k: v for k, v in environ.items() if k not in ENCODINGS},
        "LANG": "en_US.UTF-8",
        "AWS_LAMBDA_FUNCTION_NAME": function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function_name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
    }
    if app_port:
        made["PORT"] = str(app_port)
        made.pop("AWS_LWA_PORT", None)
    if invoke_mode:
        made["AWS_LWA_INVOKE_MODE"] = invoke_mode
    return made


HOOKS_PORT = "AWS_LWA_MICROVM_HOOKS_PORT"

MICROVM_IMAGE = {
    "AWS_LAMBDA_MICROVM_IMAGE_ARN": (
        f"arn:aws:lambda:{REGION}:{ACCOUNT}:microvm-image:local"
    ),
    "AWS_LAMBDA_MICROVM_IMAGE_NAME": "local",
    "AWS_LAMBDA_MICROVM_IMAGE_VERSION": "1",
}


def microvm_environ(
    environ: Mapping[str, str], *, app_port: int | None = None, hooks_port: int
) -> dict[str, str]:
    """Return an environment with what a MicroVM has, and the ports of both servers.

    The port of the hooks is the one given, unless the environment has one.
    """
    without = {*ENCODINGS, RUNTIME_API}
    made = {k: v for k, v in environ.items() if k not in without} | MICROVM_IMAGE
    made.setdefault(HOOKS_PORT, str(hooks_port))
    if app_port:
        made["PORT"] = str(app_port)
        made.pop("AWS_LWA_PORT", None)
    made.setdefault("PORT", str(Config(made).port))
    return made


def settings_shown(environ: Mapping[str, str]) -> list[str]:
    """Return the adapter's settings as ``NAME=value``, without the application's."""
    return [
        f"{name}={value}"
        for name, value in sorted(environ.items())
        if name.startswith(PREFIX) and value and name not in APPLICATIONS
    ]


def billed_ms(duration_ms: float, init_ms: float | None) -> int:
    """Return the billed milliseconds, rounded up, including the init.

    https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
    """
    return ceil(duration_ms + (init_ms or 0))

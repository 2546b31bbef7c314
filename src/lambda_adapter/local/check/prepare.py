"""From a command to the function that is checked."""

from collections.abc import Mapping, Sequence

import msgspec

from lambda_adapter.local.check.rules.place import DEFAULT_PORT
from lambda_adapter.local.check.settings import CheckSettings
from lambda_adapter.local.function import free_ports
from lambda_adapter.local.option_table import Given
from lambda_adapter.local.options import Options
from lambda_adapter.local.prepare import make_options

BUSY = 8
"""How many times longer a start may take on a machine that is busy."""

SPARE = 1.0
"""Seconds that the function's timeout is longer than what a request may take."""


def make(
    command: Sequence[str],
    given: Given,
    settings: CheckSettings,
    environ: Mapping[str, str],
    cwd: str | None = None,
) -> Options:
    """Return the function that is checked.

    Raises:
        SetupError: it can't be run.
    """
    port = given.app_port or named_port(command, environ) or free_ports(1)[0]
    sandboxed = msgspec.structs.replace(
        given, sandbox=True, app_port=port, timeout=settings.pace.request + SPARE
    )
    options = make_options(command, sandboxed, environ, cwd)
    return msgspec.structs.replace(
        options, init_timeout=settings.pace.init * BUSY, port=0
    )


def named_port(command: Sequence[str], environ: Mapping[str, str]) -> int | None:
    """Return the port of the environment, or the default if the command names it."""
    said = environ.get("AWS_LWA_PORT") or environ.get("PORT", "")
    if said.isdecimal():
        return int(said)
    for word in command:
        if word.rpartition(":")[2].rpartition("=")[2] == str(DEFAULT_PORT):
            return DEFAULT_PORT
    return None

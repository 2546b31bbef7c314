"""Turn a command into the function to check."""

from collections.abc import Mapping, Sequence

import msgspec

from lambda_adapter.local.check.rules.place import DEFAULT_PORT
from lambda_adapter.local.check.settings import CheckSettings
from lambda_adapter.local.option_table import Given
from lambda_adapter.local.options import Options
from lambda_adapter.local.ports import free_ports
from lambda_adapter.local.prepare import make_options

BUSY = 8
"""Factor by which a start may take longer on a busy machine."""

SPARE = 1.0
"""Seconds that the function's timeout exceeds a request's."""


def make(
    command: Sequence[str],
    given: Given,
    settings: CheckSettings,
    environ: Mapping[str, str],
    cwd: str | None = None,
) -> Options:
    """Return the options of the function to check.

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
    """Return the environment's port, or the default one if the command names it."""
    said = environ.get("AWS_LWA_PORT") or environ.get("PORT", "")
    if said.isdecimal():
        return int(said)
    for word in command:
        if word.rpartition(":")[2].rpartition("=")[2] == str(DEFAULT_PORT):
            return DEFAULT_PORT
    return None

"""The configuration: environment variables become one frozen ``Config``.

A value that can't be used is an error that names it; a name nobody knows is a warning,
with the nearest one known. Loads nothing but builtins, because the application's start
waits for it. Core: no I/O.
"""

from __future__ import annotations

from lambda_adapter.settings import (
    MAX_CONCURRENCY,
    NAMES,
    PREFIX,
    RUNTIME_API_ADDRESS,
    SETTINGS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Config:
    """Every setting, checked. Its fields are set once, here, and then stay.

    Raises:
        ConfigError: a value can't be used.
    """

    runtime_api: tuple[str, int]
    max_concurrency: int
    port: int
    host: str
    readiness_port: int
    readiness_path: str
    readiness_protocol: str
    readiness_healthy_status: frozenset[int]
    readiness_timeout: float | None
    async_init: bool
    remove_base_path: str | None
    enable_compression: bool
    invoke_mode: str
    pass_through_path: str
    authorization_source: str | None
    error_status_codes: frozenset[int] | None
    pool_idle_timeout: float
    runtime_api_proxy: tuple[str, int] | None
    warnings: tuple[str, ...]
    """Sentences for the log."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        values: dict[str, object] = {}
        warnings = [_unknown(name) for name in sorted(environ) if _is_unknown(name)]
        for setting in (RUNTIME_API_ADDRESS, MAX_CONCURRENCY, *SETTINGS):
            names = [name for name in setting.names if environ.get(name)]
            variable = names[0] if names else setting.names[0]
            text = environ[variable] if names else setting.default
            values[setting.field] = setting.read(variable, text) if text else None
            if variable == "HOST":
                warnings.append(
                    f"HOST={text} is taken for the application's host; if it is not,"
                    " set AWS_LWA_HOST"
                )
        values["readiness_port"] = values["readiness_port"] or values["port"]
        self.__dict__.update(values, warnings=tuple(warnings))

    def __setattr__(self, field: str, value: object) -> None:
        """Refuse."""
        raise AttributeError(f"{field} was set by the environment, and stays")


def _is_unknown(name: str) -> bool:
    return name.startswith(PREFIX) and name not in NAMES


def _unknown(name: str) -> str:
    import difflib  # only for whoever made a typing error

    near = difflib.get_close_matches(name, NAMES, n=1)
    advice = f"; did you mean {near[0]}?" if near else ""
    return f"{name} is not a setting of this adapter{advice}"

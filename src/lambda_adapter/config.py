"""Turn environment variables into one frozen ``Config``.

An unusable value is an error that names it. An unknown name is a warning that suggests
the most similar setting. Imports only builtins, because the application's start waits
for it.
"""

from __future__ import annotations

from lambda_adapter.closed_paths import ClosedPath, reached, route_of
from lambda_adapter.errors import ConfigError
from lambda_adapter.settings import FROM_LAMBDA, NAMES, PREFIX, SETTINGS

INITIALIZED_BEFORE = frozenset({"snap-start", "provisioned-concurrency"})
"""Initialization types whose init may take minutes, since no client waits for it:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib"""

LIKENESS = 0.7
"""Minimum similarity, 0 to 1, for a setting to be suggested: the ratio of
https://docs.python.org/3/library/difflib.html#difflib.SequenceMatcher.ratio. PROT and
PORT have 0.75; unrelated names have 0.5 and less."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_adapter.http.messages import Address


class Config:
    """Every setting, checked and immutable.

    Raises:
        ConfigError: a value can't be used.
    """

    runtime_api: tuple[str, int]
    max_concurrency: int
    initialization_type: str
    function_name: str | None
    function_version: str | None
    function_memory: int
    log_group: str | None
    log_stream: str | None
    log_format: str
    log_level: str | None
    task_root: str
    handler: str | None
    exec_wrapper: str | None
    port: int
    host: str
    unix_socket: str | None
    readiness_port: int | None
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
    renamed_headers: tuple[tuple[str, str], ...] | None
    request_context: bool
    error_status_codes: frozenset[int] | None
    pool_idle_timeout: float
    deadline_margin: float
    before_checkpoint_path: str | None
    after_restore_path: str | None
    after_reply_path: str | None
    microvm_hooks_port: int | None
    microvm_suspend_path: str | None
    warm_paths: tuple[str, ...] | None
    command_events: bool
    warm_up: tuple[tuple[str, str], ...]
    traceparent: bool
    metrics: str
    app_wrapper: str | None
    runtime_api_proxy: tuple[str, int] | None
    asgi_app: str | None
    asgi_loop: str
    wsgi_app: str | None
    wsgi_inline: bool
    lazy_imports: str
    app_dir: str | None
    hooks: tuple[ClosedPath, ...]
    """The paths that only the adapter may call, closed to clients."""
    warnings: tuple[str, ...]
    """Warnings about the settings, to be logged."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        values: dict[str, object] = {}
        unknown = filter(_is_unknown, sorted(environ))
        warnings = [_unknown(name, environ[name]) for name in unknown]
        for setting in (*FROM_LAMBDA, *SETTINGS):
            names = [name for name in setting.names if environ.get(name)]
            variable = names[0] if names else setting.names[0]
            text = environ[variable] if names else setting.default
            values[setting.field] = setting.read(variable, text) if text else None
            if variable == "HOST":
                warnings.append(
                    f"HOST={text} is used as the application's host; if that is wrong,"
                    " set AWS_LWA_HOST"
                )
        self.__dict__.update(values)
        self.__dict__["hooks"] = self._closed_routes()
        if self.asgi_app and self.wsgi_app:
            expected = "no value, since AWS_LWA_ASGI_APP is set: remove one of the two"
            raise ConfigError("AWS_LWA_WSGI_APP", self.wsgi_app, expected)
        if self.microvm_hooks_port == self.port and not self.unix_socket:
            expected = f"a port other than the application's, {self.port}"
            raise ConfigError(
                "AWS_LWA_MICROVM_HOOKS_PORT", str(self.microvm_hooks_port), expected
            )
        self.__dict__["warnings"] = (*warnings, *self._contradictions())

    @property
    def app_address(self) -> Address:
        """The address that the application listens on."""
        return self.unix_socket or (self.host, self.port)

    @property
    def readiness_address(self) -> Address:
        """The address of the readiness check: the same, unless it has its own port."""
        if self.readiness_port:
            return self.host, self.readiness_port
        return self.app_address

    @property
    def is_local(self) -> bool:
        """Whether `lambda-adapter local` runs this, by the name of the log stream.

        Lambda's own names begin with a date.
        """
        return self.log_stream == "local"

    @property
    def is_in_process(self) -> bool:
        """Whether the application runs in the adapter's own process."""
        return bool(self.asgi_app or self.wsgi_app)

    @property
    def is_concurrent(self) -> bool:
        """Whether Lambda may send several invocations at the same time."""
        return self.max_concurrency > 1

    @property
    def has_metrics(self) -> bool:
        """Whether metrics are measured and logged."""
        return self.metrics == "emf"

    @property
    def streams(self) -> bool:
        """Whether replies are streamed to those sources that can take a stream."""
        return self.invoke_mode == "response_stream"

    @property
    def rewrites_requests(self) -> bool:
        """Whether a client's request is changed or checked before it is sent."""
        return bool(
            self.remove_base_path
            or self.authorization_source
            or self.renamed_headers
            or not self.request_context
            or self.hooks
        )

    @property
    def inits_async(self) -> bool:
        """Whether Lambda's init may end before the application is ready.

        Never under SnapStart or provisioned concurrency, where init precedes traffic.
        """
        return self.async_init and self.initialization_type not in INITIALIZED_BEFORE

    def _closed_routes(self) -> tuple[ClosedPath, ...]:
        """Return the paths that only the adapter may call.

        Raises:
            ConfigError: AWS_LWA_PASS_THROUGH_PATH is one of them, or below one.
        """
        events = self.pass_through_path.partition("?")[0].encode()
        routes: list[ClosedPath] = []
        for variable, path in (
            ("AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH", self.before_checkpoint_path),
            ("AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH", self.after_restore_path),
            ("AWS_LWA_AFTER_REPLY_PATH", self.after_reply_path),
            ("AWS_LWA_MICROVM_SUSPEND_PATH", self.microvm_suspend_path),
        ):
            if path:
                routes.append(route_of(path))
                if reached(events, routes):
                    expected = "a path that AWS_LWA_PASS_THROUGH_PATH is not below"
                    raise ConfigError(variable, path, expected)
        return tuple(routes)

    def _contradictions(self) -> list[str]:
        warnings: list[str] = []
        if self.async_init and not self.inits_async:
            warnings.append(
                "AWS_LWA_ASYNC_INIT does nothing where Lambda initialises beforehand:"
                f" this is {self.initialization_type}"
            )
        if self.enable_compression and self.streams:
            warnings.append(
                "AWS_LWA_ENABLE_COMPRESSION does nothing to responses that are streamed"
            )
        if self.app_wrapper and self.is_in_process:
            warnings.append(
                "AWS_LWA_EXEC_WRAPPER does nothing for an application in the adapter's"
                " own process: use its agent as a library"
            )
        if self.lazy_imports != "off" and not self.is_in_process:
            warnings.append(
                "AWS_LWA_LAZY_IMPORTS does nothing for a command: Python 3.15 itself"
                " reads PYTHON_LAZY_IMPORTS=all"
            )
        if self.wsgi_inline and self.is_concurrent:
            warnings.append(
                "AWS_LWA_WSGI_INLINE does nothing if Lambda sends several invocations"
                " concurrently: each runs in its own thread"
            )
        return warnings

    def __setattr__(self, field: str, value: object) -> None:
        """Refuse any change."""
        raise AttributeError(f"{field} was set by the environment, and stays")


FIRST_UNHEALTHY = "READINESS_CHECK_MIN_UNHEALTHY_STATUS"
"""A setting of earlier versions of the AWS Lambda Web Adapter, with or without prefix:
https://github.com/aws/aws-lambda-web-adapter/blob/v0.9.1/README.md#configurations"""


def _is_unknown(name: str) -> bool:
    is_ours = name.startswith(PREFIX) and name not in NAMES
    return is_ours or name == FIRST_UNHEALTHY


def _unknown(name: str, text: str) -> str:
    if name.removeprefix(PREFIX) == FIRST_UNHEALTHY:
        status = text.strip()
        digits = status.isascii() and status.isdigit() and len(status) == 3
        is_status = digits and 100 < int(status) <= 600
        healthy = f"100-{int(status) - 1}" if is_status else "100-499"
        return (
            f"{name} is not a setting of this adapter any more; set"
            f" {PREFIX}READINESS_CHECK_HEALTHY_STATUS={healthy}"
        )
    import difflib  # slow to import, and only needed after a typing error

    # Compared without the common prefix, which would make any two names similar.
    known = [each.removeprefix(PREFIX) for each in NAMES if each.startswith(PREFIX)]
    rest = name.removeprefix(PREFIX).upper()
    near = difflib.get_close_matches(rest, known, n=1, cutoff=LIKENESS)
    advice = f"; did you mean {PREFIX}{near[0]}?" if near else ""
    return f"{name} is not a setting of this adapter{advice}"

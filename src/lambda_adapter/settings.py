"""The table of settings: their variables, defaults, parsers and meanings.

The documentation is generated from it. Imports only builtins, because the application's
start waits for it.
"""

from __future__ import annotations

from lambda_adapter import setting_parsers as parsers
from lambda_adapter.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "AWS_LWA_"

SNAPSHOT_APP = "_LAMBDA_ADAPTER_MICROVM_APP"
"""Set, to the application, where a web server imports ``microvm.beside_app`` for it."""

RUNTIME_API = "AWS_LAMBDA_RUNTIME_API"
"""Set only by Lambda: if it is missing, this is not Lambda.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""


class Setting:
    """One row: an attribute of ``Config``, and its variables in order of precedence.

    ``default`` is text, and is parsed like a value that was set; ``""`` makes the
    attribute None.
    """

    def __init__(
        self,
        field: str,
        names: tuple[str, ...],
        default: str,
        parse: Callable[[str], object],
        meaning: str,
    ) -> None:
        self.field = field
        self.names = names
        self.default = default
        self.parse = parse
        self.meaning = meaning

    def read(self, variable: str, text: str) -> object:
        """Parse the text of a variable.

        Raises:
            ConfigError: the text is not a usable value.
        """
        try:
            return self.parse(text.strip())
        except ValueError as error:
            raise ConfigError(variable, text, str(error)) from None


# fmt: off
FROM_LAMBDA = (
    Setting("runtime_api", (RUNTIME_API,), "127.0.0.1:9001", parsers.address,
            "where the Runtime API is"),
    Setting("max_concurrency", ("AWS_LAMBDA_MAX_CONCURRENCY",), "1", parsers.count,
            "how many invocations Lambda Managed Instances send concurrently"),
    Setting("initialization_type",
            ("AWS_LAMBDA_INITIALIZATION_TYPE",), "on-demand", parsers.word,
            "when this environment is initialised: on demand, or in advance"),
    Setting("function_name", ("AWS_LAMBDA_FUNCTION_NAME",), "", str,
            "the function's name"),
    Setting("function_version", ("AWS_LAMBDA_FUNCTION_VERSION",), "", str,
            "its version"),
    Setting("function_memory",
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE",), "0", parsers.megabytes,
            "its memory in MB, 0 if unknown"),
    Setting("log_group", ("AWS_LAMBDA_LOG_GROUP_NAME",), "", str,
            "where its log goes"),
    Setting("log_stream", ("AWS_LAMBDA_LOG_STREAM_NAME",), "", str,
            "where this environment's log goes"),
    Setting("log_format", ("AWS_LAMBDA_LOG_FORMAT",), "Text", str,
            "`Text` or `JSON`"),
    Setting("log_level", ("AWS_LAMBDA_LOG_LEVEL",), "", str,
            "the lowest level that is logged"),
    Setting("task_root", ("LAMBDA_TASK_ROOT",), "/var/task", str,
            "where the function's package is"),
    Setting("handler", ("_HANDLER",), "", str,
            "the function's handler"),
    Setting("exec_wrapper", ("AWS_LAMBDA_EXEC_WRAPPER",), "", str,
            "the program that runs in place of a managed runtime"),
)
"""Variables that Lambda sets:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""

SETTINGS = (
    Setting("port", ("AWS_LWA_PORT", "PORT"), "8080", parsers.port,
            "the port that the application listens on"),
    Setting("host", ("AWS_LWA_HOST", "HOST"), "127.0.0.1", parsers.host,
            "the host that the application listens on"),
    Setting("unix_socket", ("AWS_LWA_UNIX_SOCKET",), "", parsers.socket_path,
            "the Unix socket that the application listens on, instead of a port"),
    Setting("readiness_port",
            ("AWS_LWA_READINESS_CHECK_PORT", "READINESS_CHECK_PORT"), "", parsers.port,
            "the port of the readiness check; by default the application's"),
    Setting("readiness_path",
            ("AWS_LWA_READINESS_CHECK_PATH", "READINESS_CHECK_PATH"), "/",
            parsers.target, "the path of the readiness check"),
    Setting("readiness_protocol",
            ("AWS_LWA_READINESS_CHECK_PROTOCOL", "READINESS_CHECK_PROTOCOL"), "http",
            parsers.choice("http", "tcp"),
            "`http`: GET must return a healthy status; `tcp`: a connection is enough"),
    Setting("readiness_healthy_status",
            ("AWS_LWA_READINESS_CHECK_HEALTHY_STATUS",), "100-499", parsers.statuses,
            "the statuses that mean ready, as a list of numbers and ranges"),
    Setting("readiness_timeout",
            ("AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS",), "", parsers.seconds,
            "seconds until the application must be ready, or init fails; 0: no limit"),
    Setting("async_init",
            ("AWS_LWA_ASYNC_INIT", "ASYNC_INIT"), "false", parsers.boolean,
            "let Lambda's init end before a slow application is ready"),
    Setting("remove_base_path",
            ("AWS_LWA_REMOVE_BASE_PATH", "REMOVE_BASE_PATH"), "", parsers.prefix,
            "a prefix to remove from the path of a request; `auto` for API Gateway's"
            " stage"),
    Setting("enable_compression",
            ("AWS_LWA_ENABLE_COMPRESSION",), "false", parsers.boolean,
            "compress whole responses, for clients that accept it"),
    Setting("invoke_mode",
            ("AWS_LWA_INVOKE_MODE",), "buffered",
            parsers.choice("buffered", "response_stream"),
            "`buffered`, or `response_stream` for response streaming"),
    Setting("pass_through_path",
            ("AWS_LWA_PASS_THROUGH_PATH",), "/events", parsers.target,
            "the path to which events that are not HTTP are POSTed"),
    Setting("authorization_source",
            ("AWS_LWA_AUTHORIZATION_SOURCE",), "", parsers.own_field_name,
            "a header to rename to `authorization`"),
    Setting("renamed_headers",
            ("AWS_LWA_RENAME_HEADERS",), "", parsers.renames,
            "more headers to rename, such as `x-user:x-client,x-a:x-b`"),
    Setting("request_context", ("AWS_LWA_REQUEST_CONTEXT",), "true", parsers.boolean,
            "add `x-amzn-request-context` to clients' requests; it can be long"),
    Setting("error_status_codes",
            ("AWS_LWA_ERROR_STATUS_CODES",), "", parsers.statuses,
            "statuses that fail the invocation, for HTTP events as well"),
    Setting("pool_idle_timeout",
            ("AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS",), "4", parsers.seconds,
            "seconds for which an idle connection to the application may be reused"),
    Setting("deadline_margin",
            ("AWS_LWA_DEADLINE_MARGIN_SECONDS",), "0.1", parsers.seconds,
            "seconds before Lambda's deadline at which a request is given up"),
    Setting("before_checkpoint_path",
            ("AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH",), "", parsers.route,
            "the path that receives a POST before a SnapStart snapshot is taken"),
    Setting("after_restore_path",
            ("AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH",), "", parsers.route,
            "the path that receives a POST after a SnapStart snapshot is restored"),
    Setting("after_reply_path",
            ("AWS_LWA_AFTER_REPLY_PATH",), "", parsers.route,
            "the path that receives a POST after each reply to a response with"
            " `x-lwa-after-reply`"),
    Setting("microvm_hooks_port", ("AWS_LWA_MICROVM_HOOKS_PORT",), "", parsers.port,
            "outside Lambda functions, the port on which the adapter answers the hooks"
            " of a Lambda MicroVM, such as 9000"),
    Setting("microvm_suspend_path",
            ("AWS_LWA_MICROVM_SUSPEND_PATH",), "", parsers.route,
            "the path that receives a POST before a MicroVM is suspended"),
    Setting("warm_paths", ("AWS_LWA_WARM_PATHS",), "", parsers.targets,
            "paths to be requested while a MicroVM's image is validated, such as"
            " `/,/login`"),
    Setting("command_events", ("AWS_LWA_COMMAND_EVENTS",), "false", parsers.boolean,
            "run the command that an event names, such as a migration"),
    Setting("warm_up", ("AWS_LWA_WARM_UP",), "false", parsers.warm_ups,
            "`true` to answer warm-up events without the application; or a list"
            " of more of them, such as `ping:true,source:my-warmer`"),
    Setting("traceparent", ("AWS_LWA_TRACEPARENT",), "false", parsers.boolean,
            "add a `traceparent` with Lambda's trace ID to requests without one"),
    Setting("metrics", ("AWS_LWA_METRICS",), "off", parsers.choice("off", "emf"),
            "`emf` for CloudWatch metrics of each start and invocation, in the log"),
    Setting("app_wrapper",
            ("AWS_LWA_EXEC_WRAPPER",), "", parsers.program,
            "a program to start the application through, such as an APM layer's"),
    Setting("runtime_api_proxy",
            ("AWS_LWA_LAMBDA_RUNTIME_API_PROXY",), "", parsers.address,
            "`host:port` of a proxy of the Runtime API, such as an APM extension's"),
    Setting("asgi_app", ("AWS_LWA_ASGI_APP",), "", parsers.application,
            "an ASGI application to run in the adapter's process, such as"
            " `main:app`"),
    Setting("asgi_loop",
            ("AWS_LWA_ASGI_LOOP",), "asyncio",
            parsers.choice("asyncio", "trio-asyncio", "trio"),
            "the event loop: `asyncio`, `trio`, or `trio-asyncio` for both"),
    Setting("wsgi_app", ("AWS_LWA_WSGI_APP",), "", parsers.application,
            "a WSGI application to run in the adapter's process, such as"
            " `app:app`"),
    Setting("wsgi_inline", ("AWS_LWA_WSGI_INLINE",), "false", parsers.boolean,
            "call a WSGI application in the adapter's thread, where no deadline can"
            " interrupt it"),
    Setting("lazy_imports", ("AWS_LWA_LAZY_IMPORTS",), "off",
            parsers.choice("off", "stdlib", "all"),
            "on Python 3.15, import modules only when they are first used: the standard"
            " library's (`stdlib`) or `all`, with `AWS_LWA_ASGI_APP` or `_WSGI_APP`"),
    Setting("app_dir", ("AWS_LWA_APP_DIR",), "", parsers.directory,
            "the directory to import an ASGI or WSGI application from, before the"
            " working directory and the function's package"),
)
# fmt: on

NAMES = tuple(name for setting in SETTINGS for name in setting.names)
"""Every variable that is a setting."""

SHARED = frozenset(
    name
    for setting in SETTINGS
    for name in setting.names
    if setting.field in {"port", "host", "unix_socket"}
)
"""Variables that applications read too: those for the address to listen on."""

ADAPTER_ONLY = frozenset(NAMES) - SHARED
"""Variables that no application reads."""

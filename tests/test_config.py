"""Settings: from environment variables to values."""

import pytest

from lambda_adapter.config import Config
from lambda_adapter.errors import ConfigError
from lambda_adapter.setting_parsers import WARM_UPS
from lambda_adapter.settings import FROM_LAMBDA, SETTINGS

ALL = (*FROM_LAMBDA, *SETTINGS)

DEFAULTS = {
    "runtime_api": ("127.0.0.1", 9001),
    "max_concurrency": 1,
    "initialization_type": "on-demand",
    "function_name": None,
    "function_version": None,
    "function_memory": 0,
    "log_group": None,
    "log_stream": None,
    "log_format": "Text",
    "log_level": None,
    "task_root": "/var/task",
    "handler": None,
    "exec_wrapper": None,
    "port": 8080,
    "host": "127.0.0.1",
    "unix_socket": None,
    "readiness_port": None,
    "readiness_path": "/",
    "readiness_protocol": "http",
    "readiness_healthy_status": frozenset(range(100, 500)),
    "readiness_timeout": None,
    "async_init": False,
    "remove_base_path": None,
    "enable_compression": False,
    "invoke_mode": "buffered",
    "pass_through_path": "/events",
    "authorization_source": None,
    "error_status_codes": None,
    "pool_idle_timeout": 4.0,
    "deadline_margin": 0.1,
    "before_checkpoint_path": None,
    "after_restore_path": None,
    "app_wrapper": None,
    "traceparent": False,
    "metrics": "off",
    "renamed_headers": None,
    "request_context": True,
    "after_reply_path": None,
    "microvm_hooks_port": None,
    "microvm_suspend_path": None,
    "warm_paths": None,
    "command_events": False,
    "warm_up": (),
    "runtime_api_proxy": None,
    "asgi_app": None,
    "asgi_loop": "asyncio",
    "wsgi_app": None,
    "wsgi_inline": False,
    "lazy_imports": "off",
    "app_dir": None,
    "hooks": (),
    "warnings": (),
}

VARIABLES = {
    "runtime_api": ("AWS_LAMBDA_RUNTIME_API",),
    "max_concurrency": ("AWS_LAMBDA_MAX_CONCURRENCY",),
    "initialization_type": ("AWS_LAMBDA_INITIALIZATION_TYPE",),
    "function_name": ("AWS_LAMBDA_FUNCTION_NAME",),
    "function_version": ("AWS_LAMBDA_FUNCTION_VERSION",),
    "function_memory": ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE",),
    "log_group": ("AWS_LAMBDA_LOG_GROUP_NAME",),
    "log_stream": ("AWS_LAMBDA_LOG_STREAM_NAME",),
    "log_format": ("AWS_LAMBDA_LOG_FORMAT",),
    "log_level": ("AWS_LAMBDA_LOG_LEVEL",),
    "task_root": ("LAMBDA_TASK_ROOT",),
    "handler": ("_HANDLER",),
    "exec_wrapper": ("AWS_LAMBDA_EXEC_WRAPPER",),
    "port": ("AWS_LWA_PORT", "PORT"),
    "host": ("AWS_LWA_HOST", "HOST"),
    "unix_socket": ("AWS_LWA_UNIX_SOCKET",),
    "readiness_port": ("AWS_LWA_READINESS_CHECK_PORT", "READINESS_CHECK_PORT"),
    "readiness_path": ("AWS_LWA_READINESS_CHECK_PATH", "READINESS_CHECK_PATH"),
    "readiness_protocol": (
        "AWS_LWA_READINESS_CHECK_PROTOCOL",
        "READINESS_CHECK_PROTOCOL",
    ),
    "readiness_healthy_status": ("AWS_LWA_READINESS_CHECK_HEALTHY_STATUS",),
    "readiness_timeout": ("AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS",),
    "async_init": ("AWS_LWA_ASYNC_INIT", "ASYNC_INIT"),
    "remove_base_path": ("AWS_LWA_REMOVE_BASE_PATH", "REMOVE_BASE_PATH"),
    "enable_compression": ("AWS_LWA_ENABLE_COMPRESSION",),
    "invoke_mode": ("AWS_LWA_INVOKE_MODE",),
    "pass_through_path": ("AWS_LWA_PASS_THROUGH_PATH",),
    "authorization_source": ("AWS_LWA_AUTHORIZATION_SOURCE",),
    "error_status_codes": ("AWS_LWA_ERROR_STATUS_CODES",),
    "pool_idle_timeout": ("AWS_LWA_POOL_IDLE_TIMEOUT_SECONDS",),
    "deadline_margin": ("AWS_LWA_DEADLINE_MARGIN_SECONDS",),
    "before_checkpoint_path": ("AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH",),
    "after_restore_path": ("AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH",),
    "app_wrapper": ("AWS_LWA_EXEC_WRAPPER",),
    "traceparent": ("AWS_LWA_TRACEPARENT",),
    "metrics": ("AWS_LWA_METRICS",),
    "renamed_headers": ("AWS_LWA_RENAME_HEADERS",),
    "request_context": ("AWS_LWA_REQUEST_CONTEXT",),
    "after_reply_path": ("AWS_LWA_AFTER_REPLY_PATH",),
    "microvm_hooks_port": ("AWS_LWA_MICROVM_HOOKS_PORT",),
    "microvm_suspend_path": ("AWS_LWA_MICROVM_SUSPEND_PATH",),
    "warm_paths": ("AWS_LWA_WARM_PATHS",),
    "command_events": ("AWS_LWA_COMMAND_EVENTS",),
    "warm_up": ("AWS_LWA_WARM_UP",),
    "runtime_api_proxy": ("AWS_LWA_LAMBDA_RUNTIME_API_PROXY",),
    "asgi_app": ("AWS_LWA_ASGI_APP",),
    "asgi_loop": ("AWS_LWA_ASGI_LOOP",),
    "wsgi_app": ("AWS_LWA_WSGI_APP",),
    "wsgi_inline": ("AWS_LWA_WSGI_INLINE",),
    "lazy_imports": ("AWS_LWA_LAZY_IMPORTS",),
    "app_dir": ("AWS_LWA_APP_DIR",),
}

GOOD = {
    "runtime_api": ("169.254.100.1:9001", ("169.254.100.1", 9001)),
    "max_concurrency": ("8", 8),
    "initialization_type": ("Snap-Start", "snap-start"),
    "function_name": ("f", "f"),
    "function_version": ("7", "7"),
    "function_memory": ("512", 512),
    "log_group": ("/aws/lambda/f", "/aws/lambda/f"),
    "log_stream": ("[1]x", "[1]x"),
    "log_format": ("JSON", "JSON"),
    "log_level": ("DEBUG", "DEBUG"),
    "task_root": ("/task", "/task"),
    "handler": ("run.sh", "run.sh"),
    "exec_wrapper": ("/opt/bootstrap", "/opt/bootstrap"),
    "port": ("3000", 3000),
    "host": ("localhost", "localhost"),
    "unix_socket": ("/tmp/app.sock", "/tmp/app.sock"),
    "readiness_port": ("3001", 3001),
    "readiness_path": ("/healthz?deep=1", "/healthz?deep=1"),
    "readiness_protocol": ("TCP", "tcp"),
    "readiness_healthy_status": ("200,301-303", frozenset({200, 301, 302, 303})),
    "readiness_timeout": ("7.5", 7.5),
    "async_init": ("True", True),
    "remove_base_path": ("/api/", "/api"),
    "enable_compression": ("1", True),
    "invoke_mode": ("RESPONSE_STREAM", "response_stream"),
    "pass_through_path": ("/queue", "/queue"),
    "authorization_source": ("X-Authorization", "x-authorization"),
    "error_status_codes": ("500,502-504", frozenset({500, 502, 503, 504})),
    "pool_idle_timeout": ("0", 0.0),
    "deadline_margin": ("1.5", 1.5),
    "before_checkpoint_path": ("/snapstart/before", "/snapstart/before"),
    "after_restore_path": ("/Snap-Start/after", "/Snap-Start/after"),
    "app_wrapper": ("/opt/otel-handler", "/opt/otel-handler"),
    "traceparent": ("true", True),
    "metrics": ("EMF", "emf"),
    "renamed_headers": (
        "X-Real-Auth:Authorization, x-a : x-b",
        (("x-real-auth", "authorization"), ("x-a", "x-b")),
    ),
    "request_context": ("no", False),
    "after_reply_path": ("/lwa/after", "/lwa/after"),
    "microvm_hooks_port": ("9000", 9000),
    "microvm_suspend_path": ("/asleep", "/asleep"),
    "warm_paths": ("/, login?a=b", ("/", "/login?a=b")),
    "command_events": ("on", True),
    "warm_up": ("ping:1, a : b:c", (*WARM_UPS, ("ping", "1"), ("a", "b:c"))),
    "runtime_api_proxy": ("http://127.0.0.1:9002/", ("127.0.0.1", 9002)),
    "asgi_app": ("main:create_app()", "main:create_app()"),
    "asgi_loop": ("Trio", "trio"),
    "wsgi_app": ("a.b:c.d", "a.b:c.d"),
    "wsgi_inline": ("yes", True),
    "lazy_imports": ("StdLib", "stdlib"),
    "app_dir": ("src", "src"),
}

NAMED = [
    pytest.param(field, variable, id=variable)
    for field, variables in VARIABLES.items()
    for variable in variables
]

UNUSABLE = "\x01 no value at all é"


def test_every_setting_is_tested():
    """The tables above name every setting, and every variable in its order."""
    assert {setting.field: setting.names for setting in ALL} == VARIABLES
    assert set(GOOD) == set(VARIABLES)


def test_defaults():
    """A setting that is not set has its default."""
    assert vars(Config({})) == DEFAULTS


def test_other_variables():
    """Variables of other programs are ignored."""
    assert (
        vars(Config({"PATH": "/bin", "AWS_REGION": "x", "LWA_PORT": "1"})) == DEFAULTS
    )


@pytest.mark.parametrize(("field", "variable"), NAMED)
def test_variable(field, variable):
    """Each variable and each alias sets its field."""
    text, value = GOOD[field]

    config = Config({variable: text})

    assert getattr(config, field) == value


@pytest.mark.parametrize(("field", "variable"), NAMED)
def test_variable_with_spaces(field, variable):
    """Spaces around a value are ignored."""
    text, value = GOOD[field]

    config = Config({variable: f" {text}\n"})

    assert getattr(config, field) == value


@pytest.mark.parametrize(("field", "variable"), NAMED)
def test_variable_empty(field, variable):
    """An empty variable counts as not set."""
    assert getattr(Config({variable: ""}), field) == DEFAULTS[field]


TAKEN_AS_GIVEN = {
    "function_name",
    "function_version",
    "function_memory",
    "log_group",
    "log_stream",
    "log_format",
    "log_level",
    "task_root",
    "handler",
    "exec_wrapper",
}
"""What Lambda says, and whose value stops no start."""


@pytest.mark.parametrize(
    ("field", "variable"),
    [pair for pair in NAMED if pair.values[0] not in TAKEN_AS_GIVEN],
)
@pytest.mark.parametrize("text", [UNUSABLE, " "], ids=["unusable", "blank"])
def test_variable_unusable(field, variable, text):
    """A value that can't be used is an error: variable, value and what was expected."""
    with pytest.raises(ConfigError) as caught:
        Config({variable: text})

    assert caught.value.variable == variable
    message = str(caught.value)
    assert message.startswith(f"{variable}={text!r} is not usable: expected ")
    assert len(message.partition("expected ")[2]) > 3


@pytest.mark.parametrize(
    "field", [field for field, variables in VARIABLES.items() if len(variables) == 2]
)
def test_precedence(field):
    """The adapter's own name of a setting overrides its alias."""
    strong, weak = VARIABLES[field]
    text, value = GOOD[field]

    assert getattr(Config({weak: UNUSABLE, strong: text}), field) == value
    assert getattr(Config({strong: "", weak: text}), field) == value


HERE = ("127.0.0.1", 8080)
SOCKET = {"AWS_LWA_UNIX_SOCKET": "/tmp/s"}


@pytest.mark.parametrize(
    ("environ", "app", "readiness"),
    [
        ({}, HERE, HERE),
        ({"PORT": "3000"}, ("127.0.0.1", 3000), ("127.0.0.1", 3000)),
        ({"AWS_LWA_PORT": "3", "PORT": "4"}, ("127.0.0.1", 3), ("127.0.0.1", 3)),
        ({"AWS_LWA_HOST": "::1"}, ("::1", 8080), ("::1", 8080)),
        ({"READINESS_CHECK_PORT": "5000"}, HERE, ("127.0.0.1", 5000)),
        ({"AWS_LWA_READINESS_CHECK_PORT": ""}, HERE, HERE),
        (SOCKET, "/tmp/s", "/tmp/s"),
        (SOCKET | {"PORT": "3000"}, "/tmp/s", "/tmp/s"),
        (SOCKET | {"READINESS_CHECK_PORT": "5"}, "/tmp/s", ("127.0.0.1", 5)),
    ],
)
def test_addresses(environ, app, readiness):
    """The readiness check has the application's address, unless configured."""
    config = Config(environ)

    assert config.app_address == app
    assert config.readiness_address == readiness


@pytest.mark.parametrize(
    ("initialization_type", "inits_async"),
    [
        ("on-demand", True),
        ("lambda-managed-instances", True),
        ("something-new", True),
        ("snap-start", False),
        ("provisioned-concurrency", False),
    ],
)
def test_async_init(initialization_type, inits_async):
    """Init waits for the application if Lambda initialises ahead of traffic."""
    environ = {"AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type}

    config = Config(environ | {"AWS_LWA_ASYNC_INIT": "true"})

    assert config.inits_async is inits_async
    assert [initialization_type in warning for warning in config.warnings] == (
        [] if inits_async else [True]
    )
    assert Config(environ).inits_async is False
    assert Config(environ).warnings == ()


HOOKS = (
    "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH",
    "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH",
    "AWS_LWA_AFTER_REPLY_PATH",
    "AWS_LWA_MICROVM_SUSPEND_PATH",
)


@pytest.mark.parametrize("variable", HOOKS)
@pytest.mark.parametrize(
    ("hook", "path"),
    [("/events", "/events"), ("/x", "/x?y"), ("/x", "/X/"), ("/x", "/x/events")],
)
def test_hook_that_is_the_path_of_events(variable, hook, path):
    """Events can't be POSTed to a path that is closed to clients."""
    with pytest.raises(ConfigError, match="AWS_LWA_PASS_THROUGH_PATH") as caught:
        Config({variable: hook, "AWS_LWA_PASS_THROUGH_PATH": path})

    assert caught.value.variable == variable


def test_hooks_of_a_microvm_on_the_applications_port():
    """The hooks of a MicroVM need a port other than the application's."""
    with pytest.raises(ConfigError) as caught:
        Config({"AWS_LWA_MICROVM_HOOKS_PORT": "8080"})

    assert caught.value.variable == "AWS_LWA_MICROVM_HOOKS_PORT"


def test_hooks():
    """The paths of hooks are closed to clients, each if it is set."""
    before, after, reply, _ = HOOKS

    assert Config({}).hooks == ()
    assert Config({after: "/b"}).hooks == (("b",),)
    assert Config({reply: "/c"}).hooks == (("c",),)
    assert Config({before: "/a/B/", after: "/b"}).hooks == (("a", "b"), ("b",))


def test_lazy_imports_of_a_command():
    """A warning names the variable for a command's imports; in process it has none."""
    lazy = {"AWS_LWA_LAZY_IMPORTS": "all"}

    (warning,) = Config(lazy).warnings

    assert warning.startswith("AWS_LWA_LAZY_IMPORTS does nothing for a command")
    assert "PYTHON_LAZY_IMPORTS=all" in warning
    assert Config(lazy | {"AWS_LWA_WSGI_APP": "a:b"}).warnings == ()


def test_compression_of_streams():
    """A warning says that streams are not compressed, if both are configured."""
    stream = {"AWS_LWA_INVOKE_MODE": "response_stream"}

    (warning,) = Config(stream | {"AWS_LWA_ENABLE_COMPRESSION": "true"}).warnings

    assert warning.startswith("AWS_LWA_ENABLE_COMPRESSION does nothing")
    assert Config(stream).warnings == ()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("AWS_LWA_PROT", "AWS_LWA_PORT"),
        ("AWS_LWA_READINESS_PATH", "AWS_LWA_READINESS_CHECK_PATH"),
        ("AWS_LWA_ENABLE_COMPRESION", "AWS_LWA_ENABLE_COMPRESSION"),
        ("AWS_LWA_INVOKEMODE", "AWS_LWA_INVOKE_MODE"),
        ("AWS_LWA_INVOKE_MOD", "AWS_LWA_INVOKE_MODE"),
        ("AWS_LWA_HSOT", "AWS_LWA_HOST"),
        ("AWS_LWA_port", "AWS_LWA_PORT"),
    ],
)
def test_unknown_setting(name, near):
    """An unknown name is a warning with the most similar setting."""
    config = Config({name: "x"})

    assert config.warnings == (
        f"{name} is not a setting of this adapter; did you mean {near}?",
    )


@pytest.mark.parametrize(
    "name",
    [
        "AWS_LWA_",
        "AWS_LWA_QQQQQQQQQQQQQQQQ",
        "AWS_LWA_TLS_CERT_FILE",
        "AWS_LWA_TLS_SERVER_NAME",
        "AWS_LWA_PASSWORD",
    ],
)
def test_unknown_setting_without_near(name):
    """An unknown setting that resembles none is named without a suggestion."""
    config = Config({name: ""})

    assert config.warnings == (f"{name} is not a setting of this adapter",)


@pytest.mark.parametrize("prefix", ["", "AWS_LWA_"])
@pytest.mark.parametrize(
    ("text", "healthy"),
    [
        ("400", "100-399"),
        (" 500 ", "100-499"),
        ("600", "100-599"),
        *(
            (odd, "100-499")
            for odd in ("", "x", "0", "100", "601", "-1", "٣", "9" * 5_000)
        ),
    ],
)
def test_first_unhealthy_status(prefix, text, healthy):
    """The former setting of the first unhealthy status is a warning with the new."""
    name = f"{prefix}READINESS_CHECK_MIN_UNHEALTHY_STATUS"

    config = Config({name: text})

    assert config.warnings == (
        (
            f"{name} is not a setting of this adapter any more; set"
            f" AWS_LWA_READINESS_CHECK_HEALTHY_STATUS={healthy}"
        ),
    )
    Config({"AWS_LWA_READINESS_CHECK_HEALTHY_STATUS": healthy})  # is a valid value


def test_unknown_settings_are_all_named():
    """Every unknown setting is named, in alphabetical order."""
    config = Config({"AWS_LWA_ZZZZZZ": "", "AWS_LWA_PROT": "1", "PORT": "1"})

    assert [warning.partition(" ")[0] for warning in config.warnings] == [
        "AWS_LWA_PROT",
        "AWS_LWA_ZZZZZZ",
    ]


def test_host_warns():
    """HOST is used with a warning, since images may set it for other reasons."""
    assert "AWS_LWA_HOST" in Config({"HOST": "localhost"}).warnings[0]
    assert Config({"HOST": "x", "AWS_LWA_HOST": "localhost"}).warnings == ()


@pytest.mark.parametrize("field", [*DEFAULTS, "other"])
def test_frozen(field):
    """A configuration can't be changed."""
    config = Config({})

    with pytest.raises(AttributeError, match=field):
        setattr(config, field, None)

    assert vars(config) == DEFAULTS

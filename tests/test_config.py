"""Settings: from environment variables to values."""

import pytest

from lambda_adapter.config import Config
from lambda_adapter.errors import ConfigError
from lambda_adapter.settings import MAX_CONCURRENCY, RUNTIME_API_ADDRESS, SETTINGS

ALL = (RUNTIME_API_ADDRESS, MAX_CONCURRENCY, *SETTINGS)

DEFAULTS = {
    "runtime_api": ("127.0.0.1", 9001),
    "max_concurrency": 1,
    "port": 8080,
    "host": "127.0.0.1",
    "readiness_port": 8080,
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
    "runtime_api_proxy": None,
    "warnings": (),
}

VARIABLES = {
    "runtime_api": ("AWS_LAMBDA_RUNTIME_API",),
    "max_concurrency": ("AWS_LAMBDA_MAX_CONCURRENCY",),
    "port": ("AWS_LWA_PORT", "PORT"),
    "host": ("AWS_LWA_HOST", "HOST"),
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
    "runtime_api_proxy": ("AWS_LWA_LAMBDA_RUNTIME_API_PROXY",),
}

GOOD = {
    "runtime_api": ("169.254.100.1:9001", ("169.254.100.1", 9001)),
    "max_concurrency": ("8", 8),
    "port": ("3000", 3000),
    "host": ("localhost", "localhost"),
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
    "runtime_api_proxy": ("http://127.0.0.1:9002/", ("127.0.0.1", 9002)),
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
    """Where nothing is set, everything has its default."""
    assert vars(Config({})) == DEFAULTS


def test_other_variables():
    """Variables of others mean nothing."""
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
    """Spaces around a value mean nothing."""
    text, value = GOOD[field]

    config = Config({variable: f" {text}\n"})

    assert getattr(config, field) == value


@pytest.mark.parametrize(("field", "variable"), NAMED)
def test_variable_empty(field, variable):
    """An empty variable is one that is not set."""
    assert getattr(Config({variable: ""}), field) == DEFAULTS[field]


@pytest.mark.parametrize(("field", "variable"), NAMED)
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
    """The adapter's own name of a setting is stronger than its alias."""
    strong, weak = VARIABLES[field]
    text, value = GOOD[field]

    assert getattr(Config({weak: UNUSABLE, strong: text}), field) == value
    assert getattr(Config({strong: "", weak: text}), field) == value


@pytest.mark.parametrize(
    ("environ", "port"),
    [
        ({}, 8080),
        ({"PORT": "3000"}, 3000),
        ({"AWS_LWA_PORT": "3000", "PORT": "4000"}, 3000),
        ({"PORT": "3000", "READINESS_CHECK_PORT": "5000"}, 5000),
        ({"PORT": "3000", "AWS_LWA_READINESS_CHECK_PORT": ""}, 3000),
    ],
)
def test_readiness_port(environ, port):
    """The readiness check goes where the application is, unless told otherwise."""
    assert Config(environ).readiness_port == port


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("AWS_LWA_PROT", "AWS_LWA_PORT"),
        ("AWS_LWA_READINESS_PATH", "AWS_LWA_READINESS_CHECK_PATH"),
        ("AWS_LWA_ENABLE_COMPRESION", "AWS_LWA_ENABLE_COMPRESSION"),
        ("AWS_LWA_INVOKEMODE", "AWS_LWA_INVOKE_MODE"),
    ],
)
def test_unknown_setting(name, near):
    """A name that nobody knows is a warning, with the nearest one that is known."""
    config = Config({name: "x"})

    assert config.warnings == (
        f"{name} is not a setting of this adapter; did you mean {near}?",
    )


def test_unknown_setting_without_near():
    """Where nothing is near, nothing is guessed."""
    config = Config({"AWS_LWA_QQQQQQQQQQQQQQQQ": ""})

    assert config.warnings == (
        "AWS_LWA_QQQQQQQQQQQQQQQQ is not a setting of this adapter",
    )


def test_unknown_settings_are_all_named():
    """Every one is named, in alphabetical order."""
    config = Config({"AWS_LWA_ZZZZZZ": "", "AWS_LWA_PROT": "1", "PORT": "1"})

    assert [warning.partition(" ")[0] for warning in config.warnings] == [
        "AWS_LWA_PROT",
        "AWS_LWA_ZZZZZZ",
    ]


def test_host_warns():
    """Images set HOST for reasons of their own, so whoever relies on it is told."""
    assert "AWS_LWA_HOST" in Config({"HOST": "localhost"}).warnings[0]
    assert Config({"HOST": "x", "AWS_LWA_HOST": "localhost"}).warnings == ()


@pytest.mark.parametrize("field", [*DEFAULTS, "other"])
def test_frozen(field):
    """What the environment set stays."""
    config = Config({})

    with pytest.raises(AttributeError, match=field):
        setattr(config, field, None)

    assert vars(config) == DEFAULTS

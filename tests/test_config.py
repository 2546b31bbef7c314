"""Settings: from environment variables to values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.config import ADAPTER_ONLY, RUNTIME_API_ADDRESS, SETTINGS, Config
from lambda_adapter.errors import ConfigError

ALL = (RUNTIME_API_ADDRESS, *SETTINGS)

DEFAULTS = {
    "runtime_api": ("127.0.0.1", 9001),
    "port": 8080,
    "host": "127.0.0.1",
    "readiness_port": 8080,
    "readiness_path": "/",
    "readiness_protocol": "http",
    "readiness_healthy_status": frozenset(range(100, 500)),
    "async_init": False,
    "remove_base_path": None,
    "enable_compression": False,
    "invoke_mode": "buffered",
    "pass_through_path": "/events",
    "authorization_source": None,
    "error_status_codes": None,
    "runtime_api_proxy": None,
    "warnings": (),
}

VARIABLES = {
    "runtime_api": ("AWS_LAMBDA_RUNTIME_API",),
    "port": ("AWS_LWA_PORT", "PORT"),
    "host": ("AWS_LWA_HOST", "HOST"),
    "readiness_port": ("AWS_LWA_READINESS_CHECK_PORT", "READINESS_CHECK_PORT"),
    "readiness_path": ("AWS_LWA_READINESS_CHECK_PATH", "READINESS_CHECK_PATH"),
    "readiness_protocol": (
        "AWS_LWA_READINESS_CHECK_PROTOCOL",
        "READINESS_CHECK_PROTOCOL",
    ),
    "readiness_healthy_status": ("AWS_LWA_READINESS_CHECK_HEALTHY_STATUS",),
    "async_init": ("AWS_LWA_ASYNC_INIT", "ASYNC_INIT"),
    "remove_base_path": ("AWS_LWA_REMOVE_BASE_PATH", "REMOVE_BASE_PATH"),
    "enable_compression": ("AWS_LWA_ENABLE_COMPRESSION",),
    "invoke_mode": ("AWS_LWA_INVOKE_MODE",),
    "pass_through_path": ("AWS_LWA_PASS_THROUGH_PATH",),
    "authorization_source": ("AWS_LWA_AUTHORIZATION_SOURCE",),
    "error_status_codes": ("AWS_LWA_ERROR_STATUS_CODES",),
    "runtime_api_proxy": ("AWS_LWA_LAMBDA_RUNTIME_API_PROXY",),
}

GOOD = {
    "runtime_api": ("169.254.100.1:9001", ("169.254.100.1", 9001)),
    "port": ("3000", 3000),
    "host": ("localhost", "localhost"),
    "readiness_port": ("3001", 3001),
    "readiness_path": ("/healthz?deep=1", "/healthz?deep=1"),
    "readiness_protocol": ("TCP", "tcp"),
    "readiness_healthy_status": ("200,301-303", frozenset({200, 301, 302, 303})),
    "async_init": ("True", True),
    "remove_base_path": ("/api/", "/api"),
    "enable_compression": ("1", True),
    "invoke_mode": ("RESPONSE_STREAM", "response_stream"),
    "pass_through_path": ("/queue", "/queue"),
    "authorization_source": ("X-Authorization", "x-authorization"),
    "error_status_codes": ("500,502-504", frozenset({500, 502, 503, 504})),
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


@pytest.mark.parametrize("field", ["async_init", "enable_compression"])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, True) for text in ["true", "TRUE", "True", "tRuE", "1", "yes", "On"]),
        *((text, False) for text in ["false", "FALSE", "False", "0", "NO", "off"]),
    ],
)
def test_boolean(field, text, value):
    """Booleans are read as people write them, in any case."""
    assert getattr(Config({VARIABLES[field][0]: text}), field) is value


TYPING_ERRORS = {
    "port": ["0", "65536", "-1", "80a", "8080.0", "0x50", "٣", "http", "1" * 40],
    "host": [
        "http://localhost",
        "local host",
        "a/b",
        "a@b",
        "a#b",
        "a?b",
        "[::1",
        "[]",
        "é",
        "localhost:8080",
        "127.0.0.1:8080",
        "a\nb",
    ],
    "readiness_port": ["0", "70000", "x"],
    "readiness_path": ["health", "http://x/", "/a b", "/a#b", "/é", "/a\nb"],
    "readiness_protocol": ["https", "udp", "true"],
    "readiness_healthy_status": [
        "99",
        "600",
        "200-",
        "-200",
        "300-200",
        "a",
        "200,,",
        ",",
        "2xx",
        "100-600",
    ],
    "async_init": ["t", "y", "2", "enabled", "truefalse"],
    "remove_base_path": ["api", "/a b", "é"],
    "enable_compression": ["gzip"],
    "invoke_mode": ["stream", "response-stream", "streaming"],
    "pass_through_path": ["events", "/a b", "/a\r\nb", "/é", "/#"],
    "authorization_source": ["x authorization", "x:y", "é", "x\n-y"],
    "error_status_codes": ["5xx", "500-", "0"],
    "runtime_api_proxy": ["127.0.0.1", "9002", ":9002", "a b:1", "http://a/b:c"],
    "runtime_api": ["localhost", "a:b", "a:99999"],
}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        pytest.param(field, text, id=f"{field}-{text!a}")
        for field, texts in TYPING_ERRORS.items()
        for text in texts
    ],
)
def test_unusable(field, text):
    """A typing error is never taken for the default."""
    variable = VARIABLES[field][0]

    with pytest.raises(ConfigError, match=f"^{variable}="):
        Config({variable: text})


@pytest.mark.parametrize("setting", ALL, ids=lambda setting: setting.field)
@given(text=st.text())
def test_any_text(setting, text):
    """Any text at all is a value or a ConfigError."""
    variable = setting.names[0]
    try:
        value = getattr(Config({variable: text}), setting.field)
    except ConfigError:
        return

    assert text == "" or value is not None


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("0.0.0.0", "0.0.0.0"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("app.internal", "app.internal"),
        ("my_service", "my_service"),
    ],
)
def test_host(text, host):
    """A host is a name or an address; brackets are only its spelling."""
    assert Config({"AWS_LWA_HOST": text}).host == host


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("200", {200}),
        ("200,204", {200, 204}),
        (" 200 , 301 - 303 ", {200, 301, 302, 303}),
        ("599,100", {100, 599}),
        ("200-200", {200}),
        ("200-202,201-203", {200, 201, 202, 203}),
    ],
)
def test_statuses(text, statuses):
    """A list of statuses has numbers and ranges, both ends included."""
    config = Config({"AWS_LWA_READINESS_CHECK_HEALTHY_STATUS": text})

    assert config.readiness_healthy_status == statuses


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9002", ("127.0.0.1", 9002)),
        ("http://127.0.0.1:9002", ("127.0.0.1", 9002)),
        ("localhost:1", ("localhost", 1)),
        ("[::1]:9002", ("::1", 9002)),
    ],
)
def test_address(text, address):
    """An address is a host and a port, as users copy it."""
    config = Config({"AWS_LWA_LAMBDA_RUNTIME_API_PROXY": text})

    assert config.runtime_api_proxy == address


@pytest.mark.parametrize(
    ("text", "prefix"), [("/api", "/api"), ("/api/", "/api"), ("/a/b//", "/a/b")]
)
def test_remove_base_path(text, prefix):
    """A prefix has no slash at its end."""
    assert Config({"AWS_LWA_REMOVE_BASE_PATH": text}).remove_base_path == prefix


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


@pytest.mark.parametrize(
    "field", [setting.field for setting in SETTINGS if setting.pending]
)
def test_pending_warns(field):
    """A setting that has no effect yet says so, in place of silence."""
    variable, (text, _) = VARIABLES[field][0], GOOD[field]

    assert Config({variable: text}).warnings == (
        f"{variable} has no effect in this version",
    )


@pytest.mark.parametrize(
    ("variable", "text"),
    [("AWS_LWA_INVOKE_MODE", "Buffered"), ("AWS_LWA_ASYNC_INIT", "FALSE")],
)
def test_pending_does_not_warn_of_the_default(variable, text):
    """Whoever sets what is so anyway misses nothing."""
    assert Config({variable: text}).warnings == ()


@pytest.mark.parametrize("field", [*DEFAULTS, "other"])
def test_frozen(field):
    """What the environment set stays."""
    config = Config({})

    with pytest.raises(AttributeError, match=field):
        setattr(config, field, None)

    assert vars(config) == DEFAULTS


def test_adapter_only():
    """Where an application listens is its business too; the rest is not."""
    own = {name for names in VARIABLES.values() for name in names}

    assert own - ADAPTER_ONLY == {
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_LWA_PORT",
        "PORT",
        "AWS_LWA_HOST",
        "HOST",
    }
    assert own >= ADAPTER_ONLY

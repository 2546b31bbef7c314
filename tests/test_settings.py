"""Settings: what each value may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_adapter.config import Config
from lambda_adapter.errors import ConfigError
from lambda_adapter.http.messages import authority
from lambda_adapter.settings import ADAPTER_ONLY, FROM_LAMBDA, SETTINGS

ALL = (*FROM_LAMBDA, *SETTINGS)
NAMES = {setting.field: setting.names[0] for setting in ALL}


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
    assert getattr(Config({NAMES[field]: text}), field) is value


RESERVED = [
    *("host", "Content-Length", "Content_Length", "transfer-encoding", "TE"),
    *("Transfer.Encoding", "connection", "proxy-connection", "Keep-Alive", "upgrade"),
    *("trailer", "expect", "HTTP2-Settings", "x-amzn-lambda-context"),
    *("X_Amzn_Request_Context", "x-amz-tenant-id", "x-amzn-requestid"),
    *("x-amzn-trace-id", "x-forwarded-prefix", "X_Forwarded_Prefix"),
    "x-lwa-after-reply",
]
"""Fields of the connection, and those that only the adapter may set."""

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
    "readiness_path": ["http://x/", "/a b", "/a#b", "/é", "/a\nb", "a b", "a\nb"],
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
    "readiness_timeout": ["-1", "soon", "1e3", "1.2.3", ".", "٣", "inf", "nan"],
    "pool_idle_timeout": ["4s"],
    "deadline_margin": ["-0.1", "100ms"],
    "unix_socket": ["app.sock", "@app", "unix:/tmp/s", "/" + "x" * 107],
    "before_checkpoint_path": [
        "before",
        "/a b",
        "/é",
        "/a?b",
        "/a#b",
        "/a;b",
        "/%61",
        "/a+b",
    ],
    "after_restore_path": [
        "/",
        "//",
        "/.",
        "/a/..",
        "/a/../b",
        "//a",
        "/\\",
        "\\a",
        "/a\nb",
    ],
    "async_init": ["t", "y", "2", "enabled", "truefalse"],
    "remove_base_path": ["https://a/api", "/a b", "é"],
    "enable_compression": ["gzip"],
    "invoke_mode": ["stream", "response-stream", "streaming"],
    "pass_through_path": ["unix://events", "/a b", "/a\r\nb", "/é", "/#"],
    "authorization_source": ["x authorization", "x:y", "é", "x\n-y", *RESERVED],
    "error_status_codes": ["5xx", "500-", "0"],
    "renamed_headers": [
        "x-auth",
        "x-auth:",
        ":authorization",
        "x-auth=authorization",
        "a:b:c",
        "a:b,a:c",
        "a:b,c:b",
        "a:b,b:c",
        "a:a",
        "a:b,",
        *(f"a:{name}" for name in RESERVED),
        *(f"{name}:a" for name in RESERVED),
    ],
    "microvm_hooks_port": ["0", "65536", "x"],
    "microvm_suspend_path": ["asleep", "/", "/a b"],
    "warm_paths": ["/a b", "/,http://x/", "/a,,/b", "/é"],
    "command_events": ["maybe"],
    "warm_up": ["warm", "ping:", ":true", "a:b,", "ping:true,c", "a:b\0"],
    "app_wrapper": ["otel-handler", "./wrapper", "/opt/a\nb"],
    "runtime_api_proxy": ["127.0.0.1", "9002", ":9002", "a b:1", "http://a/b:c"],
    "asgi_app": ["main", "main:", ":app", "a b:c", "main.py", "main:app(1)", "a:b:c"],
    "asgi_loop": ["uvloop", "auto", "curio"],
    "wsgi_app": ["app", "a-b:c", "app:1"],
    "wsgi_inline": ["main"],
    "app_dir": ["a\0b"],
    "max_concurrency": ["0", "-1", "many", "٣", "1.5", "10001"],
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
    """A value with a typo is an error, and never the default."""
    variable = NAMES[field]

    with pytest.raises(ConfigError, match=f"^{variable}="):
        Config({variable: text})


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("max_concurrency", "20000", "a number from 1 to 10000"),
        ("port", "65536", "a port from 1 to 65535"),
    ],
)
def test_limits_are_named(field, text, expected):
    """A number that is out of range is refused with the range."""
    with pytest.raises(ConfigError, match=f"expected {expected}$"):
        Config({NAMES[field]: text})


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
    ("text", "prefix"),
    [
        ("/api", "/api"),
        ("/api/", "/api"),
        ("/a/b//", "/a/b"),
        ("api", "/api"),
        ("a/b/", "/a/b"),
        ("//a", "//a"),
        ("auto", "auto"),
        (" AUTO ", "auto"),
        ("/auto", "/auto"),
    ],
)
def test_remove_base_path(text, prefix):
    """A prefix has no slash at its end."""
    assert Config({"AWS_LWA_REMOVE_BASE_PATH": text}).remove_base_path == prefix


@pytest.mark.parametrize(
    "field", ["readiness_path", "pass_through_path", "remove_base_path"]
)
@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("health", "/health"),
        (" health\n", "/health"),
        ("/health", "/health"),
        ("a/b?c=/d", "/a/b?c=/d"),
        ("?a=1", "/?a=1"),
        ("/http://a", "/http://a"),
    ],
)
def test_paths_begin_with_a_slash(field, text, path):
    """A path without a slash in front gets one."""
    assert getattr(Config({NAMES[field]: text}), field) == path


def test_adapter_only():
    """The application gets only the settings of where it listens."""
    own = {name for setting in ALL for name in setting.names}
    lambdas = {name for setting in FROM_LAMBDA for name in setting.names}

    assert own - lambdas - ADAPTER_ONLY == {
        "AWS_LWA_UNIX_SOCKET",
        "AWS_LWA_PORT",
        "PORT",
        "AWS_LWA_HOST",
        "HOST",
    }
    assert own - lambdas >= ADAPTER_ONLY


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (("127.0.0.1", 8080), b"127.0.0.1:8080"),
        (("localhost", 80), b"localhost:80"),
        (("::1", 8080), b"[::1]:8080"),
        ("/tmp/app.sock", b"localhost"),
    ],
)
def test_authority(address, host):
    """An address is a Host: its port always there, an IPv6 address in brackets."""
    assert authority(address) == host

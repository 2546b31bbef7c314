"""Give advice about an application that does not become ready.

After a refused connection the advice is about addresses: where the application must
listen, where it listens instead, and which settings to change. If the application was
reached, other settings help.
"""

from collections.abc import Sequence

from lambda_adapter.app.procfs import Listener, find_listeners
from lambda_adapter.config import Config
from lambda_adapter.http.messages import authority

STATUS = (
    "set AWS_LWA_READINESS_CHECK_PATH to a path that responds with a healthy status, or"
    " AWS_LWA_READINESS_CHECK_HEALTHY_STATUS to the statuses that mean ready"
)
SILENCE = (
    "set AWS_LWA_READINESS_CHECK_PATH to a path that responds sooner, or"
    " AWS_LWA_READINESS_CHECK_PROTOCOL=tcp to wait for a connection alone"
)


def advise_on_protocol(config: Config) -> str:
    """Return the advice for an application whose response is not HTTP/1.1."""
    return f"it has to speak HTTP/1.1, without TLS, on {describe_check(config)}"


def advise_on_address(config: Config, pid: int | None) -> str:
    """Return where the application must listen, and where it listens instead.

    The latter is unknown without the ``pid`` of its process.
    """
    needed = f"it has to listen on {describe_check(config)}"
    if pid is None:
        return needed
    try:
        listeners = find_listeners(pid)
    except OSError:  # not Linux
        return needed
    if not listeners:
        return f"{needed}, and listens on no TCP port yet"
    settings = _settings_for(config, listeners)
    if not settings:
        return needed
    where = ", ".join(authority(listener).decode() for listener in listeners)
    return f"{needed}, but listens on {where}: change that, or {settings}"


def describe_check(config: Config) -> str:
    """Return the address of the readiness check, as a URL or a path."""
    address = config.readiness_address
    if isinstance(address, str):
        return f"the Unix socket {address}"
    path = "" if config.readiness_protocol == "tcp" else config.readiness_path
    return f"{config.readiness_protocol}://{authority(address).decode()}{path}"


def _settings_for(config: Config, listeners: Sequence[Listener]) -> str:
    """Return the settings that make one of these be checked, or ``""``."""
    checked = config.readiness_address
    if isinstance(checked, str):
        return "do without AWS_LWA_UNIX_SOCKET"
    host, port = checked
    on_port = [listener for listener in listeners if listener[1] == port]
    # The lowest port is the likeliest: others belong to debuggers and child processes.
    hosts = [each for each, _ in on_port or listeners[:1]]
    settings: list[str] = []
    # A socket on all addresses is reachable at each of this machine's, so if it has the
    # right port, the host is elsewhere.
    is_elsewhere = on_port and not _is_this_machine(host)
    if is_elsewhere or not any(_reaches_address(each, host) for each in hosts):
        reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(hosts[0], hosts[0])
        settings.append(f"AWS_LWA_HOST={reachable}")
    if not on_port:
        variable = "READINESS_CHECK_PORT" if config.readiness_port else "PORT"
        settings.append(f"AWS_LWA_{variable}={listeners[0][1]}")
    return "set " + " and ".join(settings) if settings else ""


def _is_this_machine(host: str) -> bool:
    """Return whether a host is this machine, whatever its addresses are."""
    return host in {"localhost", "::1", "::", "0.0.0.0"} or host.startswith("127.")


def _reaches_address(listening: str, host: str) -> bool:
    """Return whether a socket on the address ``listening`` is reachable at ``host``."""
    plain = listening.removeprefix("::ffff:")
    if plain == host or host == "localhost":
        return plain in {host, "127.0.0.1", "::1", "0.0.0.0", "::"}
    is_ipv6 = ":" in host
    return plain == "::" if is_ipv6 else plain in {"0.0.0.0", "::"}

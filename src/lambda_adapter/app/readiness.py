"""Waiting until the application is ready for its first request."""

import math
from typing import Protocol

import msgspec
import trio

from lambda_adapter import __version__
from lambda_adapter.config import Config
from lambda_adapter.errors import AppNotReadyError, PeerError
from lambda_adapter.http.connect import open_connection
from lambda_adapter.http.encoding import EncodedRequest, encode_request
from lambda_adapter.http.messages import Request, authority
from lambda_adapter.observe.logs import log

INTERVAL = 0.01
"""Seconds between two checks, as long as the application responds to none."""

SHARE = 1 / 8
"""Part of the time since the first unhealthy response that is waited after another one.
Applications log each check; one that warms up is found ready late by this part."""

LONGEST_PAUSE = 1.0
"""Seconds that no two checks are further apart."""

FIRST_LIMIT = 1.0
"""Seconds that the first checks may take. One that hangs doubles the next one's: an
application whose first response is lost is asked again, a slow one is waited for."""

LAST_LIMIT = 8.0
"""Seconds that no check may exceed."""

FIRST_REPORT = 2.0
"""Seconds until the log says why the application is not ready; each report doubles the
time to the next."""


INIT_REPORT = 8.0
"""Seconds from which on a report names the limit of Lambda's init."""


class Unready(msgspec.Struct, frozen=True):
    """Why an application is not ready."""

    reason: str
    responded: bool = False
    """Whether it responded to the check, if only with an unhealthy status."""


class Process(Protocol):
    """An application that may end before it is ready."""

    @property
    def pid(self) -> int:
        """The number of its process."""

    def ended(self) -> str | None:
        """Return how it ended, in words, or None while it runs."""


async def wait_app_ready(config: Config, process: Process | None) -> None:
    """Return once a check has succeeded.

    Raises:
        AppNotReadyError: the application has ended instead, or its time is over.
    """
    started = trio.current_time()
    first_response = math.inf
    report = FIRST_REPORT
    limit = FIRST_LIMIT
    waited = 0.0
    unready: Unready | None = Unready("it was not checked")
    while unready:
        with trio.move_on_after(limit) as scope:
            unready = await find_unready(config)
        now = trio.current_time()
        waited = now - started
        if scope.cancelled_caught:
            unready = Unready(f"no response within {limit:g} s")
            limit = min(limit * 2, LAST_LIMIT)
        if unready:
            _raise_if_over(config, process, waited, unready.reason)
            if waited >= report:
                _report(config, process, waited, unready.reason)
                report *= 2 ** math.ceil(math.log2(waited / report) + 0.01)
            pause = INTERVAL
            if unready.responded:
                first_response = min(first_response, now)
                pause = max(
                    INTERVAL, min((now - first_response) * SHARE, LONGEST_PAUSE)
                )
            await trio.sleep(pause)
    log.info("the application is ready after %.0f ms", waited * 1000)


def _raise_if_over(
    config: Config, process: Process | None, waited: float, reason: str
) -> None:
    wrapper = config.app_wrapper
    if process and (how := process.ended()):
        through = f" (started through {wrapper})" if wrapper else ""
        message = f"the application{through} {how} before it was ready"
    elif config.readiness_timeout and waited >= config.readiness_timeout:
        message = f"the application was not ready within {config.readiness_timeout:g} s"
        reason += f"; {advise(config, process)}"
    else:
        return
    raise AppNotReadyError(f"{message}; last check: {reason}")


def _report(
    config: Config, process: Process | None, waited: float, reason: str
) -> None:
    advice = advise(config, process)
    if waited >= INIT_REPORT and not config.inits_async:
        advice += (
            "; Lambda's init has 10 s, and AWS_LWA_ASYNC_INIT=true lets it end before"
            " the application is ready"
        )
    log.warning(
        "the application is not ready after %.0f s: %s; %s", waited, reason, advice
    )


def advise(config: Config, process: Process | None) -> str:
    """Say where the application has to listen, and where it listens instead."""
    checked = config.readiness_address
    needed = f"it has to listen on {describe_check(config)}"
    if process is None or isinstance(checked, str):
        return needed
    from lambda_adapter.app.procfs import find_listeners

    try:
        listeners = find_listeners(process.pid)
    except OSError:  # no Linux
        return needed
    ports = {port for _, port in listeners}
    if not ports:
        return f"{needed}, and listens on no TCP port yet"
    if checked[1] not in ports:
        variable = "READINESS_CHECK_PORT" if config.readiness_port else "PORT"
        setting = f"AWS_LWA_{variable}={min(ports)}"
    elif ("::1", checked[1]) in listeners and "." in checked[0]:
        setting = "AWS_LWA_HOST=::1"
    else:
        return needed
    where = ", ".join(authority(listener).decode() for listener in listeners)
    return f"{needed}, but listens on {where}: change that, or set {setting}"


async def find_unready(config: Config) -> Unready | None:
    """Check once, and return why the application is not ready, or None if it is."""
    try:
        connection = await open_connection(config.readiness_address)
    except PeerError as error:
        return Unready(str(error))
    try:
        if config.readiness_protocol == "tcp":
            return None
        response, _ = await connection.exchange_head(_check_request(config))
    except PeerError as error:
        return Unready(f"it accepts connections, but {error}", error.answered)
    finally:
        connection.close()
    if response.status in config.readiness_healthy_status:
        return None
    reason = f"GET {config.readiness_path} brought status {response.status}"
    return Unready(reason, responded=True)


def describe_check(config: Config) -> str:
    """Return what is checked, as an address."""
    address = config.readiness_address
    if isinstance(address, str):
        return f"the Unix socket {address}"
    path = "" if config.readiness_protocol == "tcp" else config.readiness_path
    return f"{config.readiness_protocol}://{authority(address).decode()}{path}"


def _check_request(config: Config) -> EncodedRequest:
    fields = [
        (b"host", authority(config.readiness_address)),
        (b"user-agent", f"lambda-adapter/{__version__} (readiness check)".encode()),
        (b"accept", b"*/*"),
        (b"connection", b"close"),
    ]
    return encode_request(Request(b"GET", config.readiness_path.encode(), fields))

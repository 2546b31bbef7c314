"""``readiness``: waiting until the application is ready for its first request."""

import contextlib
import logging
import os
import socket
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio

from lambda_adapter.app.readiness import wait_app_ready
from lambda_adapter.app.readiness_checks import MOST_CHECKS, Check, Checks
from lambda_adapter.config import Config
from lambda_adapter.errors import AppNotReadyError
from lambda_adapter.http.connect import Knocker
from lambda_adapter.http.messages import authority
from lambda_adapter.observe.logs import log
from tests.ports import free_port
from tests.scripted_app import (
    Answer,
    ScriptedApp,
    open_app,
    open_server,
    open_unix_server,
    receive,
)

HANG = Answer(b"", "hold")

QUIET = 0.002
"""Real seconds without news before the clock jumps, for tests of a hundred jumps."""


def status(code):
    return Answer(b"HTTP/1.1 %d Whatever\r\ncontent-length: 0\r\n\r\n" % code)


def config(port, **environ):
    return Config({"PORT": str(port), **environ})


async def check(config: Config) -> Check:
    """Check once."""
    async with trio.open_nursery() as nursery:
        checks = Checks(config, Knocker(config.readiness_address), nursery)
        return await checks.check_within(5)


class Running:
    """An application, in this very process, that ends after so many looks at it."""

    pid = os.getpid()

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def ended(self) -> str | None:
        self.looks -= 1
        return "exited with status 3" if self.looks < 0 else None


@asynccontextmanager
async def refused_until(port):
    """Have nobody listening, until the block asks for an application."""
    async with trio.open_nursery() as nursery:
        app = open_app(port=port)

        async def start() -> None:
            nursery.start_soon(hold)
            await started.wait()

        async def hold() -> None:
            async with app:
                started.set()
                await trio.sleep_forever()

        started = trio.Event()
        yield start
        nursery.cancel_scope.cancel()


async def test_ready_at_once(caplog):
    """An application that responds is ready, and the log has the time."""
    log.setLevel(logging.INFO)
    async with open_app() as app:
        with trio.fail_after(5):
            await wait_app_ready(config(app.port), None)

    (line,) = caplog.records
    assert line.getMessage().startswith("the application is ready after ")


@pytest.mark.parametrize("code", [200, 302, 404])
async def test_ready_line_has_the_status(caplog, code):
    """The line of readiness names the path and its status: a 404 is ready as well."""
    log.setLevel(logging.INFO)
    environ = {"AWS_LWA_READINESS_CHECK_PATH": "/health"}
    async with open_app(status(code)) as app:
        with trio.fail_after(5):
            await wait_app_ready(config(app.port, **environ), None)

    assert caplog.text.rstrip().endswith(f" ms (GET /health returned status {code})")


async def test_the_check_is_all_that_is_asked():
    """A check is one GET over a separate connection, with a user agent."""
    async with open_app() as app:
        with trio.fail_after(5):
            await wait_app_ready(config(app.port), None)

    (check,) = app.requests
    assert check.line == b"GET / HTTP/1.1"
    assert check.body == b""
    assert check.values(b"host") == [b"127.0.0.1:%d" % app.port]
    assert check.values(b"connection") == [b"close"]
    assert b"readiness check" in check.values(b"user-agent")[0]


async def test_path():
    """The check asks for the path that is set, query included."""
    async with open_app() as app:
        path = "/healthz?deep=1"
        with trio.fail_after(5):
            await wait_app_ready(
                config(app.port, AWS_LWA_READINESS_CHECK_PATH=path), None
            )

    assert app.requests[0].line == b"GET /healthz?deep=1 HTTP/1.1"


async def test_port():
    """The check asks at the port that is set, and leaves the application's alone."""
    async with open_app() as app, open_app() as health:
        environ = {"AWS_LWA_READINESS_CHECK_PORT": str(health.port)}
        with trio.fail_after(5):
            await wait_app_ready(config(app.port, **environ), None)

    assert (app.connections, health.connections) == (0, 1)


async def test_not_listening_yet():
    """An application that refuses connections is asked again, until it is there."""
    port = free_port()
    async with refused_until(port) as start:
        ready = trio.Event()

        async def wait() -> None:
            await wait_app_ready(config(port), None)
            ready.set()

        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait)
                await trio.testing.wait_all_tasks_blocked()
                assert not ready.is_set()
                await start()


async def test_unhealthy_at_first():
    """An application that responds with 503 is checked until it changes."""
    async with open_app(status(503), status(503), status(500)) as app:
        with trio.fail_after(5):
            await wait_app_ready(config(app.port), None)

    assert len(app.requests) == 4


async def test_pauses_between_checks(clock):
    """Between two checks there are 10 ms, however many there have been."""
    asked: list[float] = []

    async def refuse(stream: trio.SocketStream) -> None:
        asked.append(trio.current_time())
        await stream.aclose()

    async with open_server(refuse) as port:
        with trio.move_on_after(0.055):
            await wait_app_ready(config(port), None)

    assert asked == pytest.approx([asked[0] + number / 100 for number in range(6)])


@asynccontextmanager
async def unhealthy_for(seconds):
    """Serve 503 for so long, and then 200; gives the port and when it was asked."""
    ready = trio.current_time() + seconds
    asked: list[float] = []

    async def serve(stream: trio.SocketStream) -> None:
        if await receive(stream):
            asked.append(trio.current_time())
            code = 200 if asked[-1] >= ready else 503
            await stream.send_all(status(code).raw)
            await stream.aclose()

    async with open_server(serve) as port:
        yield port, asked


async def test_unhealthy_is_asked_ever_more_rarely(clock):
    """After an unhealthy response the pause grows, so that no log fills with checks."""
    clock.autojump_threshold = QUIET
    async with unhealthy_for(60) as (port, asked):
        with trio.move_on_after(60):
            await wait_app_ready(config(port), None)

    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert pauses[:5] == pytest.approx([0.01] * 5)
    assert pauses[-5:] == pytest.approx([1.0] * 5)
    assert pauses == pytest.approx(sorted(pauses))
    assert len([time for time in asked if time < asked[0] + 6]) < 50


@pytest.mark.parametrize("seconds", [0.05, 0.5, 4, 30])
async def test_ready_soon_after_unhealthy(clock, seconds):
    """A warm-up is noticed at most an eighth of its duration after its end."""
    clock.autojump_threshold = QUIET
    async with unhealthy_for(seconds) as (port, asked):
        started = trio.current_time()
        with trio.fail_after(60):
            await wait_app_ready(config(port), None)

    assert asked[-1] - started <= max(seconds * 9 / 8, seconds + 0.011)


async def test_pauses_are_short_until_the_first_answer(clock):
    """The time without any response does not make the pauses longer."""
    hanging = [HANG] * 2  # that is 3 s
    async with open_app(*hanging, *[status(503)] * 5) as app:
        started = trio.current_time()
        with trio.fail_after(60):
            await wait_app_ready(config(app.port), None)

    assert trio.current_time() - started == pytest.approx(3.1, abs=0.05)


@pytest.mark.parametrize("code", [100, 101])
async def test_interim_status_is_no_readiness(code):
    """An interim response does not make an application ready."""
    async with open_app(status(code)) as app:
        seen = await check(config(app.port))

    assert not seen.is_ready


@pytest.mark.parametrize(
    ("code", "ready"),
    [(200, True), (302, True), (404, True), (499, True), (500, False), (503, False)],
)
async def test_default_statuses(code, ready):
    """Without a setting, a response below 500 means that the application is up."""
    async with open_app(status(code)) as app:
        seen = await check(config(app.port))

    assert (seen.is_ready, seen.seen) == (ready, f"GET / returned status {code}")


@pytest.mark.parametrize(
    ("code", "ready"), [(200, True), (503, True), (204, False), (404, False)]
)
async def test_set_statuses(code, ready):
    """A setting decides alone which statuses mean ready."""
    environ = {"AWS_LWA_READINESS_CHECK_HEALTHY_STATUS": "200,503"}
    async with open_app(status(code)) as app:
        seen = await check(config(app.port, **environ))

    assert seen.is_ready is ready


async def test_body_is_not_waited_for():
    """The status is enough: a ready page may stream for as long as it likes."""
    raw = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nthe begin"
    async with open_app(Answer(raw, "hold")) as app:
        with trio.fail_after(5):
            await wait_app_ready(config(app.port), None)
        await app.wait_all_closed()


async def test_tcp():
    """With ``tcp``, an application that accepts is ready, whatever it responds."""
    environ = {"AWS_LWA_READINESS_CHECK_PROTOCOL": "tcp"}
    async with open_app(HANG) as app:
        with trio.fail_after(5):
            await wait_app_ready(config(app.port, **environ), None)
        await app.wait_all_closed()

    assert app.requests == []


async def test_tcp_on_port_80():
    """A check of port 80 works as one of any port, though a URL need not name 80."""
    environ = {
        "AWS_LWA_HOST": "127.80.80.80",  # hardly anybody else's
        "AWS_LWA_PORT": "80",
        "AWS_LWA_READINESS_CHECK_PROTOCOL": "tcp",
    }
    try:
        (listener,) = await trio.open_tcp_listeners(80, host="127.80.80.80")
    except OSError as error:
        pytest.skip(f"port 80 is not to be had here: {error}")
    async with listener:
        with trio.fail_after(5):
            await wait_app_ready(Config(environ), None)
            await (await listener.accept()).aclose()


async def test_first_answer_lost(clock):
    """An application that accepts and never responds is asked again after a second."""
    async with open_app(HANG) as app:
        started = trio.current_time()
        await wait_app_ready(config(app.port), None)
        waited = trio.current_time() - started

    assert app.connections == 2
    assert waited == pytest.approx(1.01, abs=0.02)


async def test_slow_answers_are_given_more_time(clock):
    """Each check that hangs doubles the limit of the next, up to 8 s."""
    async with open_app(*[HANG] * 5) as app:
        started = trio.current_time()
        await wait_app_ready(config(app.port), None)
        waited = trio.current_time() - started

    assert waited == pytest.approx(1 + 2 + 4 + 8 + 8, abs=0.2)


@pytest.mark.parametrize("seconds", [0.5, 3, 9, 30])
async def test_server_with_one_worker(clock, seconds):
    """A slow page on a server with one worker is ready with its first response.

    The server handles each check to its end, whether anybody still waits or not.
    """
    worker = trio.Lock()

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            if await receive(stream):
                async with worker:
                    await trio.sleep_until(trio.current_time() + seconds)
                with contextlib.suppress(trio.BrokenResourceError):
                    await stream.send_all(status(200).raw)

    async with open_server(serve) as port:
        started = trio.current_time()
        usual = await wait_app_ready(config(port), None)
        waited = trio.current_time() - started

    assert waited == pytest.approx(seconds, abs=0.2)
    assert usual == pytest.approx(seconds, abs=0.2)


async def test_server_that_accepts_one_at_a_time(clock):
    """A server that does not accept a connection meanwhile gets no other check.

    The first request would wait behind it.
    """
    requests: list[float] = []

    async def serve(listener: trio.SocketListener) -> None:
        while True:
            async with await listener.accept() as stream:
                if await receive(stream):
                    requests.append(trio.current_time())
                    await trio.sleep_until(requests[-1] + 9)
                    await stream.send_all(status(200).raw)

    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener, trio.open_nursery() as nursery:
        nursery.start_soon(serve, listener)
        started = trio.current_time()
        await wait_app_ready(config(listener.socket.getsockname()[1]), None)
        waited = trio.current_time() - started
        await trio.testing.wait_all_tasks_blocked(0.05)
        nursery.cancel_scope.cancel()

    assert waited == pytest.approx(9, abs=0.2)
    assert len(requests) == 1


async def test_checks_at_the_same_time(clock):
    """Few checks wait at the same time; the latest makes room for the next."""
    opened: list[trio.SocketStream] = []
    abandoned: list[int] = []

    async def hang(stream: trio.SocketStream) -> None:
        opened.append(stream)
        number = len(opened)
        async with stream:
            while await stream.receive_some():
                pass
            abandoned.append(number)

    async with open_server(hang) as port:
        with trio.move_on_after(40):
            await wait_app_ready(config(port), None)

    assert len(opened) == 8
    assert abandoned[:-MOST_CHECKS] == [4, 5, 6, 7]


async def test_hung_checks_are_closed(clock):
    """No check leaves a connection behind."""
    async with open_app(HANG, HANG) as app:
        await wait_app_ready(config(app.port), None)
        await app.wait_all_closed()


async def test_ended_before_ready():
    """An application that ends before it is ready is an error that says how.

    Nothing is said of addresses and ports, which an end frees.
    """
    with trio.fail_after(5), pytest.raises(AppNotReadyError) as caught:
        await wait_app_ready(config(free_port()), Running(2))

    assert str(caught.value) == (
        "the application exited with status 3 before it was ready; its own lines in the"
        " log may say why"
    )


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(HANG, "no response within 1 s", id="hangs"),
        pytest.param(status(503), "GET / returned status 503", id="unhealthy"),
        pytest.param(
            Answer(b""),
            "it accepts connections, but it closed the connection without a response",
            id="closes",
        ),
        pytest.param(
            Answer(b"220 smtp\r\n"),
            "it accepts connections, but its response is not HTTP/1.1",
            id="speaks otherwise",
        ),
    ],
)
async def test_reason_names_the_last_check(clock, answer, reason):
    """The error quotes what the last check saw."""
    async with open_app(*[answer] * 5) as app:
        with pytest.raises(AppNotReadyError) as caught:
            await wait_app_ready(config(app.port), Running(0))

    assert f"last check: {reason}" in str(caught.value)


async def test_reports(autojump_clock, caplog):
    """The log has the reason after 2, 4, 8 and 16 s if the application is not ready."""
    port = free_port()

    with trio.move_on_after(20):
        await wait_app_ready(config(port), None)

    lines = [line.getMessage().partition("; Lambda")[0] for line in caplog.records]
    assert lines == [
        f"the application is not ready after {seconds} s: no connection to"
        f" 127.0.0.1:{port}: Connection refused; it has to listen on"
        f" http://127.0.0.1:{port}/"
        for seconds in (2, 4, 8, 16)
    ]


PATH, TCP = "AWS_LWA_READINESS_CHECK_PATH", "AWS_LWA_READINESS_CHECK_PROTOCOL=tcp"
STATUSES = "AWS_LWA_READINESS_CHECK_HEALTHY_STATUS"


@pytest.mark.parametrize("environ", [{}, {STATUSES: "200"}])
@pytest.mark.parametrize("process", [None, Running(10_000)], ids=["attached", "child"])
@pytest.mark.parametrize(
    ("answer", "reason", "advice"),
    [
        pytest.param(HANG, "no response within 2 s", {PATH, TCP}, id="hangs"),
        pytest.param(
            status(503), "GET / returned status 503", {PATH, STATUSES}, id="unhealthy"
        ),
        pytest.param(Answer(b""), "closed the connection", {"HTTP/1.1"}, id="closes"),
        pytest.param(
            Answer(b"\x15\x03\x01\0\x02\x02\x50"), "HTTP/1.1", {"without TLS"}, id="TLS"
        ),
    ],
)
async def test_report_names_the_reason(
    clock, caplog, answer, reason, advice, environ, process
):
    """The report about an application that responds names settings, not the port."""
    clock.autojump_threshold = QUIET
    async with open_app(*[answer] * 1000) as app:
        with trio.move_on_after(3.5):
            await wait_app_ready(config(app.port, **environ), process)

    (line,) = caplog.records
    assert reason in line.getMessage()
    named = {each for each in (PATH, TCP, STATUSES) if each in line.getMessage()}
    assert named == advice & {PATH, TCP, STATUSES}
    assert all(each in line.getMessage() for each in advice)
    assert "to listen" not in line.getMessage()


async def test_error_names_the_setting(clock):
    """Once the time to get ready is over, the error has the reports' advice."""
    limit = {"AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS": "1"}
    async with open_app(*[status(500)] * 1000) as app:
        with pytest.raises(
            AppNotReadyError, match=f"status 500; set {PATH} .*{STATUSES}"
        ):
            await wait_app_ready(config(app.port, **limit), None)


async def test_report_names_what_is_checked(autojump_clock, caplog):
    """A report names the address where the application has to listen, as it was set."""
    port = free_port()
    environ = {"READINESS_CHECK_PROTOCOL": "tcp", "AWS_LWA_HOST": "127.0.0.2"}

    with trio.move_on_after(2.5):
        await wait_app_ready(config(port, **environ), None)

    assert caplog.text.count(f"it has to listen on tcp://127.0.0.2:{port}\n") == 1


async def test_report_names_another_port(autojump_clock, caplog):
    """The report names the port on which an application listens, and its setting."""
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as other:
        with trio.move_on_after(2.5):
            await wait_app_ready(config(port), Running(10_000))
        number = other.getsockname()[1]

    assert (
        caplog.records[0]
        .getMessage()
        .endswith(
            f"; it has to listen on http://127.0.0.1:{port}/, but listens on"
            f" 127.0.0.1:{number}: change that, or set AWS_LWA_PORT={number}"
        )
    )


async def test_report_names_the_port_of_the_check(autojump_clock, caplog):
    """A report names the setting for the check's port where the check has its own."""
    environ = {"AWS_LWA_READINESS_CHECK_PORT": str(free_port())}
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        with trio.move_on_after(2.5):
            await wait_app_ready(config(number, **environ), Running(10_000))

    assert f"or set AWS_LWA_READINESS_CHECK_PORT={number}" in caplog.text


ADDRESSES = [
    pytest.param("127.0.0.1", "::1", "AWS_LWA_HOST=::1", id="IPv6"),
    pytest.param("127.0.0.1", "127.0.0.2", "AWS_LWA_HOST=127.0.0.2", id="127.0.0.2"),
    pytest.param("::1", "127.0.0.1", "AWS_LWA_HOST=127.0.0.1", id="IPv4"),
    pytest.param("::1", "0.0.0.0", "AWS_LWA_HOST=127.0.0.1", id="any IPv4"),
    pytest.param("localhost", "127.0.0.9", "AWS_LWA_HOST=127.0.0.9", id="name"),
    pytest.param("192.0.2.1", "0.0.0.0", "AWS_LWA_HOST=127.0.0.1", id="not here"),
]


@pytest.mark.parametrize(("host", "listening", "setting"), ADDRESSES)
@pytest.mark.parametrize("protocol", ["http", "tcp"])
async def test_report_names_another_address(
    autojump_clock, caplog, host, listening, setting, protocol
):
    """The report names the setting for an application on another address."""
    port = free_port()
    environ = {"AWS_LWA_HOST": host, "AWS_LWA_READINESS_CHECK_PROTOCOL": protocol}
    family = socket.AF_INET6 if ":" in listening else socket.AF_INET
    with socket.create_server((listening, port), family=family):
        with trio.move_on_after(3.5):
            await wait_app_ready(config(port, **environ), Running(10_000))

    (line,) = caplog.records
    where = authority((listening, port)).decode()
    assert where in line.getMessage().partition("but listens on ")[2]
    assert line.getMessage().endswith(f": change that, or set {setting}")


async def test_report_names_the_containers_own_address(autojump_clock, caplog):
    """The report names the setting for the container's own address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing
        own = probe.getsockname()[0]
    port = free_port()
    with socket.create_server((own, port)):
        with trio.move_on_after(2.5):
            await wait_app_ready(config(port), Running(10_000))

    assert caplog.text.rstrip().endswith(f"set AWS_LWA_HOST={own}")


async def test_report_of_connections_that_take_too_long(clock, caplog):
    """The report is about the address if a check has not even connected in time.

    Each check has more time than the one before, for a slow lookup of the host.
    """
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = server.getsockname()
        for _ in range(2):  # more than it holds, so that Linux drops the next one
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        with trio.move_on_after(3.5):
            await wait_app_ready(config(address[1]), None)

    (line,) = caplog.messages
    assert line.partition("s: ")[2] == (
        f"no connection to 127.0.0.1:{address[1]} within 2 s; it has to listen on"
        f" http://127.0.0.1:{address[1]}/"
    )


async def test_report_names_another_address_and_port(autojump_clock, caplog):
    """The report names both settings for another address and port."""
    with socket.create_server(("127.0.0.3", 0)) as other:
        with trio.move_on_after(2.5):
            await wait_app_ready(config(free_port()), Running(10_000))
        number = other.getsockname()[1]

    assert f"set AWS_LWA_HOST=127.0.0.3 and AWS_LWA_PORT={number}" in caplog.text


async def test_report_of_a_port_in_place_of_a_socket(autojump_clock, caplog, tmp_path):
    """The report names the port of an application that should use a socket."""
    on_socket = Config({"AWS_LWA_UNIX_SOCKET": str(tmp_path / "app.sock")})
    with socket.create_server(("127.0.0.1", 0)) as other:
        with trio.move_on_after(2.5):
            await wait_app_ready(on_socket, Running(10_000))
        number = other.getsockname()[1]

    assert f"but listens on 127.0.0.1:{number}: change that, or" in caplog.text


async def test_report_of_nothing_that_listens(autojump_clock, caplog):
    """The report says that an application listens nowhere."""
    with trio.move_on_after(2.5):
        await wait_app_ready(config(free_port()), Running(10_000))

    assert "and listens on no TCP port yet" in caplog.text


@pytest.mark.parametrize(
    ("environ", "named"), [({}, True), ({"AWS_LWA_ASYNC_INIT": "1"}, False)]
)
async def test_report_names_the_limit_of_init(autojump_clock, caplog, environ, named):
    """After 8 s the log names Lambda's own limit, and what to do about it."""
    with trio.move_on_after(9):
        await wait_app_ready(config(free_port(), **environ), None)

    *early, last = [line.getMessage() for line in caplog.records]
    assert len(early) == 2
    assert not any("AWS_LWA_ASYNC_INIT" in line for line in early)
    assert ("Lambda's init has 10 s, and AWS_LWA_ASYNC_INIT=true" in last) is named


async def test_time_is_over(autojump_clock):
    """With a limit, an application that does not get ready is an init error."""
    limit = {"AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS": "7.5"}

    with pytest.raises(
        AppNotReadyError,
        match=r"not ready within 7.5 s; last check: no connection .* refused",
    ):
        await wait_app_ready(config(free_port(), **limit), None)

    assert 7.5 <= trio.current_time() < 8


async def test_no_time_limit(autojump_clock):
    """A timeout of zero is no timeout, as in the Rust adapter."""
    unlimited = config(free_port(), AWS_LWA_READINESS_CHECK_TIMEOUT_SECONDS="0")

    with trio.move_on_after(20) as scope:
        await wait_app_ready(unlimited, None)

    assert scope.cancelled_caught


async def test_unix_socket(tmp_path, autojump_clock, caplog):
    """A Unix socket is checked like a port, and named if nothing listens on it."""
    path = str(tmp_path / "app.sock")
    on_socket = Config({"AWS_LWA_UNIX_SOCKET": path})
    app = ScriptedApp()

    with trio.move_on_after(2.5):
        await wait_app_ready(on_socket, None)
    async with open_unix_server(app.serve, path):
        with trio.fail_after(5):
            await wait_app_ready(on_socket, None)

    assert f"it has to listen on the Unix socket {path}\n" in caplog.text
    assert app.requests[0].line == b"GET / HTTP/1.1"
    assert app.requests[0].values(b"host") == [b"localhost"]

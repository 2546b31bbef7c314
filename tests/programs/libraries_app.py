"""An ASGI application that checks what a library does on this loop, one for each path.

A check that returns is passed.
"""

import asyncio
import concurrent.futures
import contextlib
import contextvars
import functools
import os
import signal
import socket
import ssl
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable

import anyio
import anyio.from_thread
import anyio.to_process
import anyio.to_thread
import sniffio

Check = Callable[[], Awaitable[object]]
CHECKS: dict[str, dict[str, Check]] = {"any": {}, "asyncio": {}, "trio": {}}
ROWS: dict[str, str] = {}
"""What each check is called in docs/in-process.md."""

VARIABLE = contextvars.ContextVar("variable", default="unset")


def check(loop: str, row: str) -> Callable[[Check], Check]:
    """Add a check to those of a loop."""

    def add(function: Check) -> Check:
        CHECKS[loop][function.__name__] = function
        ROWS[function.__name__] = row
        return function

    return add


def square(number):
    return number * number


# anyio, on whichever loop this is


@check("any", "anyio: task groups, cancellation, timeouts")
async def anyio_task_groups():
    done = []
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 0)
        with anyio.move_on_after(0.01):
            await anyio.sleep(5)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anyio.sleep(5)
        done.append(1)
        group.cancel_scope.cancel()
    assert done == [1]


@check("any", "anyio: threads, and calls back from them")
async def anyio_threads():
    VARIABLE.set("set")
    assert await anyio.to_thread.run_sync(VARIABLE.get) == "set"
    assert await anyio.to_thread.run_sync(
        lambda: anyio.from_thread.run(anyio.sleep, 0) is None
    )


@check("any", "anyio: subprocesses")
async def anyio_processes():
    process = await anyio.run_process([sys.executable, "-c", "print(4)"])
    assert process.stdout == b"4\n"


@check("any", "anyio: TCP, Unix sockets, UDP")
async def anyio_sockets():
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, _echo_once)
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"hello")
            assert await stream.receive() == b"hello"
        group.cancel_scope.cancel()
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/socket"
        async with (
            await anyio.create_unix_listener(path) as unix,
            anyio.create_task_group() as group,
        ):
            group.start_soon(unix.serve, _echo_once)
            async with await anyio.connect_unix(path) as stream:
                await stream.send(b"hello")
                assert await stream.receive() == b"hello"
            group.cancel_scope.cancel()
    async with await anyio.create_udp_socket(local_host="127.0.0.1") as udp:
        here = udp.extra(anyio.abc.SocketAttribute.local_address)
        await udp.sendto(b"hello", *here)
        assert (await udp.receive())[0] == b"hello"


async def _echo_once(stream):
    async with stream:
        await stream.send(await stream.receive())


@check("any", "anyio: files")
async def anyio_files():
    async with await anyio.open_file(__file__) as file:
        assert (await file.readline()).startswith('"""')


@check("any", "httpx")
async def httpx_client():
    import httpx

    async with _http_server() as url, httpx.AsyncClient() as client:
        response = await client.get(url)
    assert (response.status_code, response.text) == (200, "ok")


def _http_server():
    """Serve one word in a thread."""
    import http.server
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_):
            """Say nothing."""

    @contextlib.asynccontextmanager
    async def serve():
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            server.server_close()

    return serve()


@check("any", "sniffio: which library runs")
async def sniffio_says_which():
    expected = os.environ["AWS_LWA_ASGI_LOOP"].replace("trio-asyncio", "asyncio")
    assert sniffio.current_async_library() == expected


# asyncio itself


@check("asyncio", "asyncio: `timeout`, `wait_for`, `TaskGroup`, `gather`, `shield`")
async def asyncio_timeouts():
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.01):
            await asyncio.sleep(5)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.sleep(5), 0.01)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(asyncio.sleep(0, 3))
    assert task.result() == 3
    assert list(await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2))) == [
        1,
        2,
    ]
    assert await asyncio.shield(asyncio.sleep(0, 4)) == 4


@check("asyncio", "asyncio: cancellation of tasks")
async def asyncio_cancellation():
    task = asyncio.create_task(asyncio.sleep(5))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return
    raise AssertionError


@check("asyncio", "asyncio: `Queue`, `Event`, `Lock`, `Semaphore`, `Condition`")
async def asyncio_queues():
    queue: asyncio.Queue[int] = asyncio.Queue(1)
    event, lock = asyncio.Event(), asyncio.Lock()

    async def produce():
        for number in range(3):
            await queue.put(number)
        event.set()

    task = asyncio.create_task(produce())
    async with lock, asyncio.Semaphore(1), asyncio.Condition():
        assert [await queue.get() for _ in range(3)] == [0, 1, 2]
    await event.wait()
    await task


@check("asyncio", "asyncio: `to_thread`, with context variables")
async def asyncio_to_thread():
    VARIABLE.set("set")
    assert await asyncio.to_thread(VARIABLE.get) == "set"


@check(
    "asyncio",
    "asyncio: `run_in_executor` with threads and with processes",
)
async def asyncio_executors():
    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(None, square, 3) == 9
    with concurrent.futures.ThreadPoolExecutor() as threads:
        assert await loop.run_in_executor(threads, square, 3) == 9
    import multiprocessing

    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as processes:
        assert await loop.run_in_executor(processes, square, 3) == 9


@check("asyncio", "asyncio: `call_soon_threadsafe`, `run_coroutine_threadsafe`")
async def asyncio_call_soon_threadsafe():
    import threading

    loop, event = asyncio.get_running_loop(), asyncio.Event()
    threading.Thread(target=lambda: loop.call_soon_threadsafe(event.set)).start()
    await event.wait()

    def in_thread():
        later = asyncio.run_coroutine_threadsafe(asyncio.sleep(0, 5), loop)
        return later.result(5)

    assert await asyncio.to_thread(in_thread) == 5


@check("asyncio", "asyncio: subprocesses")
async def asyncio_subprocesses():
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "print(input() * 2)"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(b"ab\n")
    assert (output, process.returncode) == (b"abab\n", 0)


@check("asyncio", "asyncio: `add_signal_handler`")
async def asyncio_signals():
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, event.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(event.wait(), 5)
    assert loop.remove_signal_handler(signal.SIGUSR1)


async def _echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()


@check("asyncio", "asyncio: streams over TCP and Unix sockets")
async def asyncio_streams():
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server:
        where = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*where)
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        writer.close()
        await writer.wait_closed()
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/socket"
        async with await asyncio.start_unix_server(_echo, path):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
            writer.close()
            await writer.wait_closed()


@check("asyncio", "asyncio: TLS")
async def asyncio_tls():
    with tempfile.TemporaryDirectory() as directory:
        key, certificate = f"{directory}/key", f"{directory}/certificate"
        process = await asyncio.create_subprocess_exec(
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-keyout", key, "-out", certificate, "-days", "1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert await process.wait() == 0
        ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ours.load_cert_chain(certificate, key)
        theirs = ssl.create_default_context(cafile=certificate)
    server = await asyncio.start_server(_echo, "127.0.0.1", 0, ssl=ours)
    async with server:
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(
            host, port, ssl=theirs, server_hostname="localhost"
        )
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        writer.close()


@check("asyncio", "asyncio: UDP")
async def asyncio_udp():
    loop = asyncio.get_running_loop()
    received: asyncio.Queue[bytes] = asyncio.Queue()

    class Protocol(asyncio.DatagramProtocol):
        def datagram_received(self, data, _):
            received.put_nowait(data)

    transport, _ = await loop.create_datagram_endpoint(Protocol, ("127.0.0.1", 0))
    transport.sendto(b"hello", transport.get_extra_info("sockname"))
    assert await asyncio.wait_for(received.get(), 5) == b"hello"
    transport.close()


@check("asyncio", "asyncio: `sock_recv`, `add_reader`, `getaddrinfo`")
async def asyncio_sockets():
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        loop.add_reader(ours, event.set)
        theirs.send(b"a")
        await event.wait()
        loop.remove_reader(ours)
        assert await loop.sock_recv(ours, 1) == b"a"
    assert await loop.getaddrinfo("127.0.0.1", 80)


@check("asyncio", "asyncio: `call_later`, `call_at`, `loop.time`")
async def asyncio_call_later():
    loop = asyncio.get_running_loop()
    called: list[int] = []
    loop.call_later(0.02, called.append, 2)
    loop.call_at(loop.time() + 0.01, called.append, 1)
    await asyncio.sleep(0.05)
    assert called == [1, 2]


# libraries on asyncio


@check("asyncio", "aiohttp: its client")
async def aiohttp_client():
    import aiohttp

    async with (
        _http_server() as url,
        aiohttp.ClientSession() as session,
        session.get(url) as response,
    ):
        assert (response.status, await response.text()) == (200, "ok")


@check("asyncio", "aiosqlite")
async def aiosqlite_connection():
    import aiosqlite

    async with aiosqlite.connect(":memory:") as connection:
        await connection.execute("CREATE TABLE t (a)")
        await connection.execute("INSERT INTO t VALUES (7)")
        async with connection.execute("SELECT a FROM t") as cursor:
            assert await cursor.fetchone() == (7,)


@check("asyncio", "SQLAlchemy: `ext.asyncio`, on aiosqlite")
async def sqlalchemy_asyncio():
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.connect() as connection:
        result = await connection.execute(text("SELECT 1 + 1"))
        assert result.scalar() == 2
    await engine.dispose()


@check("asyncio", "asgiref: `sync_to_async`, `async_to_sync` within it")
async def asgiref_sync():
    from asgiref.sync import async_to_sync, sync_to_async

    async def later():
        await asyncio.sleep(0)
        return "later"

    assert await sync_to_async(square)(3) == 9
    assert await sync_to_async(async_to_sync(later))() == "later"
    assert await sync_to_async(square, thread_sensitive=False)(4) == 16


@check("asyncio", "asyncpg: queries, transactions, a pool")
async def asyncpg_connection():
    import asyncpg

    host = os.environ["POSTGRESQL"]
    async with asyncpg.create_pool(host=host, user="postgres", min_size=1) as pool:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("CREATE TEMPORARY TABLE t (a int)")
            await connection.executemany("INSERT INTO t VALUES ($1)", [(1,), (2,)])
            assert await connection.fetchval("SELECT sum(a) FROM t") == 3
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pool.execute("SELECT pg_sleep(5)"), 0.05)
        assert await pool.fetchval("SELECT 1") == 1


@check("asyncio", "redis: `redis.asyncio`")
async def redis_asyncio():
    from redis.asyncio import Redis

    async with Redis(unix_socket_path=os.environ["REDIS"]) as client:
        await client.set("key", "value")
        assert await client.get("key") == b"value"
        async with client.pubsub() as listener:
            await listener.subscribe("channel")
            await client.publish("channel", "hello")
            while (message := await listener.get_message(timeout=1)) is not None:
                if message["type"] == "message":
                    assert message["data"] == b"hello"
                    return
    raise AssertionError


# trio itself


@check("trio", "trio: nurseries, cancel scopes, memory channels")
async def trio_nurseries():
    import trio

    send, receive = trio.open_memory_channel[int](0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send.send, 3)
        assert await receive.receive() == 3
        with trio.move_on_after(0.01) as scope:
            await trio.sleep_forever()
    assert scope.cancelled_caught


@check("trio", "trio: threads, with context variables")
async def trio_threads():
    import trio

    VARIABLE.set("set")
    assert await trio.to_thread.run_sync(VARIABLE.get) == "set"


@check("trio", "trio: subprocesses, signals")
async def trio_processes():
    import trio

    result = await trio.run_process([sys.executable, "-c", ""], check=True)
    assert result.returncode == 0
    with trio.open_signal_receiver(signal.SIGUSR1) as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        with trio.fail_after(5):
            assert await anext(signals) == signal.SIGUSR1


@check("trio", "trio: TCP, Unix sockets")
async def trio_sockets():
    import trio

    async def echo(stream):
        await stream.send_all(await stream.receive_some())

    async with trio.open_nursery() as nursery:
        serve = functools.partial(trio.serve_tcp, echo, 0, host="127.0.0.1")
        listeners = await nursery.start(serve)
        port = listeners[0].socket.getsockname()[1]
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(b"hello")
            assert await stream.receive_some() == b"hello"
        nursery.cancel_scope.cancel()


async def app(scope, receive, send):
    """Run the check of the path's name, and respond with what went wrong."""
    assert scope["type"] == "http"
    loop, _, name = scope["path"].strip("/").partition("/")
    try:
        await CHECKS[loop][name]()
        text = ""
    except Exception:
        text = traceback.format_exc()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})

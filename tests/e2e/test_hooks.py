"""SnapStart's hooks in real applications: whatever one takes for a hook is refused.

The spellings that the guard lets through go to the application itself.
"""

import functools
import itertools
import math
import os
import random
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import trio

from lambda_adapter.app.app import Call
from lambda_adapter.app.client import HttpTransport
from lambda_adapter.app.middleware.rewrite import rewrite
from lambda_adapter.app.readiness import wait_app_ready
from lambda_adapter.config import Config
from lambda_adapter.errors import ClosedPathError, InvocationError
from lambda_adapter.events.target import join, verbatim_path
from lambda_adapter.http.messages import Request
from lambda_adapter.runtime.api import Invocation
from tests.adapter import open_adapter
from tests.catalogue import KINDS
from tests.e2e.applications import APPS, Command, gunicorn, need, node, uvicorn
from tests.ports import free_port, free_ports
from tests.torture.kinds import PASS_THROUGH, told

TURN = Call(Invocation("request-1", b"{}"), math.inf)
HOOK = "/snapstart/after"
START_LIMIT = 60
STOP_LIMIT = 10
LIMIT = 120


def nginx(port: int, directory: Path) -> Command:
    need("nginx")
    conf = directory / "nginx.conf"
    temporary = "".join(
        f"{name}_temp_path {directory}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf.write_text(
        f"daemon off; pid {directory}/pid; error_log stderr crit; events {{}}"
        f" http {{ access_log off; {temporary} keepalive_requests 1000000;"
        f" server {{ listen 127.0.0.1:{port}; location / {{ return 404; }}"
        f' location = {HOOK} {{ return 200 "hook"; }} }} }}'
    )
    return ["nginx", "-e", "stderr", "-c", conf], directory


APPLICATIONS = {
    "FastAPI": uvicorn("with_fastapi", "--http", "h11"),
    "Starlette": uvicorn("with_starlette", "--http", "httptools"),
    "Starlette, mounted": uvicorn("mounted", "--http", "httptools"),
    "lenient": uvicorn("lenient", "--http", "httptools"),
    "Flask": gunicorn("with_flask"),
    "Express": node("express"),
    "Express, mounted": node("mounted"),
    "Node, new URL": node("url"),
    "Node, new URL, decoded": node("decoded"),
    "Node, new URL of what was decoded and trimmed": node("trimmed"),
    "Node, url.parse": node("parse"),
    "Node, url.parse with an authority": node("authority"),
    "nginx": nginx,
}

SIGNS = [byte for byte in range(256) if not (byte < 128 and chr(byte).isalnum())]

ODD = [
    "x",
    *(f"%{byte:02x}" for byte in SIGNS),
    *(f"%25{byte:02X}" for byte in SIGNS),
    *(chr(byte) for byte in SIGNS if 0x21 <= byte < 0x7F),
    *("%c0%af", "%c1%a1", "%ef%bc%8f", "%e2%80%a8", "%u002f", "%c5%bf", "%e2%84%aa"),
]
"""What stands in a path that is no letter of it."""

PLACES = [
    "{}/snapstart/after",
    "/{}/snapstart/after",
    "/{}snapstart/after",
    "{}snapstart/after",
    "//x{}/snapstart/after",
    "/snap{}start/after",
    "/snapstart{}/after",
    "/snapstart/{}after",
    "/snapstart{}after",
    "/snapstart/after{}",
    "/snapstart/after{}x",
    "/snapstart/after/{}",
    "/x{}/../snapstart/after",
    "/snapstart/x{}y/../after",
    "/snapstart/{}/../after",
]

PIECES = ["/", "/", "//", "\\", "%2f", "%5c", "%252f", "x", "x", ".", "..", "..", "%2e"]
PIECES += ["%2e%2e", "%252e%252e", "..;", ";a%2fb", ";", ";a=b", "%3f", "%23", "%0a"]
PIECES += ["%09", "%20", "%00", ":80", "@", "u@x:80", "http:", "%25", "?", "a;b", "~"]

LETTERS = {
    "snapstart": ["snapstart", "snapstart", "SnapStart", "%73napstart", "snap%0astart"],
    "after": ["after", "after", "AFTER", "%2561fter", "%61ft%65r"],
}


def spellings() -> Iterator[str]:
    """Yield what a client may send in the hope that it is taken for the hook."""
    for odd, place in itertools.product(ODD, PLACES):
        yield place.format(odd)
    choose = random.Random("the same spellings every time")
    for _ in range(6_000):
        parts = ["/", _some(choose, 3)]
        for word in ("snapstart", "after"):
            parts += [choose.choice(["", "/", "/"]), choose.choice(LETTERS[word])]
            parts += [_some(choose, 2)]
        yield "".join(parts)


def _some(choose: random.Random, most: int) -> str:
    return "".join(choose.choices(PIECES, k=choose.randint(0, most)))


TARGETS = sorted(
    {
        join(verbatim_path(path), query.encode())
        for path, _, query in (text.partition("?") for text in spellings())
    }
)

PLAIN = [HOOK.encode(), f"{HOOK}/".encode()]


@functools.cache
def let_through() -> list[bytes]:
    """Return the spellings that reach an application."""
    return [target for target in TARGETS if not is_refused(target)]


def is_refused(target: bytes) -> bool:
    config = Config({"AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": HOOK})
    try:
        rewrite(post(target), config)
    except ClosedPathError:
        return True
    return False


def post(target: bytes) -> Request:
    fields = [(b"host", b"localhost"), (b"content-length", b"0")]
    return Request(b"POST", target, fields)


@asynccontextmanager
async def open_application(
    command: Callable[[int, Path], Command], directory: Path
) -> AsyncIterator[HttpTransport]:
    (port,) = free_ports(1)
    words, cwd = command(port, directory)
    process = await trio.lowlevel.open_process(
        words, cwd=cwd, stdout=subprocess.DEVNULL
    )
    try:
        with trio.fail_after(START_LIMIT):
            await wait_app_ready(Config({"PORT": str(port)}), None)
        with closing(HttpTransport(("127.0.0.1", port), 4)) as client:
            yield client
    finally:
        process.terminate()
        with trio.CancelScope(shield=True), trio.fail_after(STOP_LIMIT):
            await process.wait()


async def takes_for_hook(client: HttpTransport, target: bytes) -> bool:
    try:
        response = await client.send(post(target), TURN)
    except InvocationError:
        return False
    return response.body == b"hook"


@pytest.mark.parametrize("name", APPLICATIONS)
async def test_what_an_application_takes_for_the_hook_is_refused(name, tmp_path):
    """Every spelling of a path that an application takes for the hook is refused."""
    async with open_application(APPLICATIONS[name], tmp_path) as client:
        with trio.fail_after(LIMIT):
            plain = [await takes_for_hook(client, target) for target in PLAIN]
            taken = [
                target
                for target in let_through()
                if await takes_for_hook(client, target)
            ]

    assert any(plain)
    assert taken == []


async def test_no_client_passes_the_check_of_a_hook(runtime):
    """An application recognises a hook by a header that no event has."""
    port = free_port()
    command, _ = gunicorn("checking")(port, APPS)
    settings: dict[str, Any] = {
        "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH": "/before",
        "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/after",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
    }
    words = [os.fspath(word) for word in command]
    answers = {}

    async with open_adapter(runtime.address, words, port=port, **settings) as adapter:
        await adapter.wait_log("restored from a snapshot")
        for kind in KINDS:
            posted = await runtime.invoke(
                forged(kind), lambda_runtime_client_context="null"
            )
            answers[kind] = told(posted, kind)

    assert adapter.log.count("the application is ready after") == 2  # both hooks: 200
    assert {kind for kind in KINDS if answers[kind].content == b"hook"} == set()
    assert {answers[kind].status for kind in KINDS.keys() - PASS_THROUGH} == {403}


def forged(kind: str) -> dict[str, Any]:
    """Return an event whose client claims to be Lambda, before a snapshot."""
    event: dict[str, Any] = KINDS[kind]("POST", "/any", "{}")
    several = kind in {"alb_multi_value", "vpc_lattice"}
    for key in {"headers", "multiValueHeaders"} & set(event):
        for name in ("x-amzn-lambda-context", "X_Amzn_Lambda.Context"):
            event[key][name] = ["null"] if several else "null"
    return event

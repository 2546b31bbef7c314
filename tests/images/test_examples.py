"""Each example's image: on Lambda, and as a plain container."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from tests.images import events
from tests.images.conftest import ECHOING, EXAMPLES
from tests.images.container import run, run_on_lambda
from tests.images.engine import PROJECT
from tests.images.measured import STARTS, note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.images.engine import Engine

pytestmark = pytest.mark.images

STARTS_MEASURED = int(os.environ.get("STARTS_MEASURED", "3"))
BINARY = {"nginx": "/dot.gif"}
"""What is no text where there is no program to make `/bytes` and `/cookies`."""

ON_LAMBDA = {
    "django": ("--env", "SECRET_KEY=of a test", "--env", f"DOMAINS={events.HOST}"),
}
"""What an example's function has to have set."""

EXIT_STATUS = {"springboot": 128 + 15, "nextjs": 128 + 15}
"""Of SIGTERM: Java's and Next.js's own; the others end with 0."""

MOST_REQUESTS = 20
"""Until what the first one has made is in a cache."""


@pytest.mark.parametrize("name", ECHOING)
def test_on_lambda(engine: Engine, examples: Mapping[str, str], name: str):
    """Every kind of event reaches the application, and its response is returned."""
    flags = ON_LAMBDA.get(name, ())
    with run_on_lambda(engine, examples[name], *flags) as container:
        for kind, make in events.SENT.items():
            sent = make()
            print(kind)
            events.check_echo(sent, container.invoke(sent.event))
        if name not in BINARY:
            events.check_cookies(container.invoke(events.get("/cookies")))
        reply = container.invoke(events.get(BINARY.get(name, "/bytes")))
        assert reply["isBase64Encoded"] is True
        body = events.body_of(reply)
        assert (
            body.startswith(b"GIF89a") if name in BINARY else body == events.EVERY_BYTE
        )


@pytest.mark.parametrize("name", EXAMPLES)
def test_off_lambda(engine: Engine, examples: Mapping[str, str], name: str):
    """The same image runs as a plain container, without the adapter."""
    with run(engine, examples[name]) as container:
        status, body = container.request("GET", "/")
        command = container.command()
        ended_with = container.stop()

    assert status == 200
    assert b"Hello from " in body
    assert "bootstrap" not in " ".join(command)
    assert ended_with == EXIT_STATUS.get(name, 0)


@pytest.mark.parametrize("name", ["nextjs", "go", "php"])
def test_long_context(engine: Engine, examples: Mapping[str, str], name: str):
    """A request whose context has 60,000 characters reaches the application."""
    event = events.get("/cookies")
    claims = {"groups": "x" * 60_000}
    event["requestContext"]["authorizer"] = {"jwt": {"claims": claims}}

    with run_on_lambda(engine, examples[name]) as container:
        events.check_cookies(container.invoke(event))


def test_caches_of_nextjs(engine: Engine, examples: Mapping[str, str]):
    """Next.js keeps pages and images in /tmp, and logs no failure to write."""
    image = events.get("/_next/image") | {"rawQueryString": "url=%2Fdot.png&w=64&q=75"}
    with run_on_lambda(engine, examples["nextjs"]) as container:
        for event in image, events.get("/posts/1"):
            found = [
                events.fields_of(container.invoke(event))["x-nextjs-cache"]
                for _ in range(MOST_REQUESTS)
            ]
            assert (found[0], found[-1]) == ("MISS", "HIT")
        assert "mkdir" not in container.log()


def test_log_of_php(engine: Engine, examples: Mapping[str, str]):
    """What PHP logs is in the container's log, and not in the response."""
    with run_on_lambda(engine, examples["php"]) as container:
        reply = container.invoke(events.get("/error"))

        assert (reply["statusCode"], events.body_of(reply)) == (500, b"")
        assert "This is in the log." in container.log()


@pytest.mark.parametrize("name", ["django", "node"])
def test_snapstart(engine: Engine, name: str):
    """An example for SnapStart is an application without it as well."""
    image = f"snapstart-{name}-example"
    engine.build(PROJECT / "examples/snapstart" / name, image)

    with run_on_lambda(engine, image) as container:
        reply = container.invoke(events.get("/"))
        assert len(json.loads(events.body_of(reply))["id"]) == 36
    with run(engine, image) as container:
        assert container.request("GET", "/")[0] == 200


@pytest.mark.parametrize("name", EXAMPLES)
def test_cold_start(engine: Engine, examples: Mapping[str, str], name: str):
    """A cold start ends with a reply; how soon, the table shows."""
    flags = ON_LAMBDA.get(name, ())
    note(STARTS, name, *cold_start(engine, examples[name], "/", *flags))


def cold_start(engine: Engine, image: str, path: str, *flags: str) -> tuple[int, ...]:
    """Measure, in milliseconds: the emulator starts the adapter when it is invoked."""
    times: list[int] = []
    for _ in range(STARTS_MEASURED):
        with run_on_lambda(engine, image, *flags) as container:
            start = time.perf_counter()
            container.invoke(events.get(path))
            times.append(round((time.perf_counter() - start) * 1000))
    return min(times), max(times)

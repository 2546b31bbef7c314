"""The events that the benchmarks send."""

import hashlib
import subprocess
import sys
from pathlib import Path

import msgspec
from bench.harness.events import SAME, varied

from lambda_adapter.events.classify import classify
from lambda_adapter.events.http_api import HttpApiEvent

PROJECT = Path(__file__).parents[2]


def test_varied_events_differ():
    """Varied events have new ids each, and many paths, clients and cookies."""
    events = [msgspec.json.decode(each) for each in varied()]
    contexts = [each["requestContext"] for each in events]

    assert len(events) >= 200
    for values in (
        {each["requestId"] for each in contexts},
        {each["headers"]["x-amzn-trace-id"] for each in events},
    ):
        assert len(values) == len(events)
    assert len({each["rawPath"] for each in events}) >= 200
    assert len({each["http"]["sourceIp"] for each in contexts}) >= 50
    assert len({cookie for each in events for cookie in each.get("cookies", ())}) >= 50


def test_varied_events_are_the_same_in_each_run():
    """Two processes make the same events, whatever their hash seed."""
    program = (
        "import hashlib; from bench.harness.events import varied;"
        "print(hashlib.sha256(b''.join(varied())).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert other.stdout.strip() == hashlib.sha256(b"".join(varied())).hexdigest()


def test_events_are_of_an_http_api():
    """Each event of the benchmarks is one that the adapter reads as an HTTP API's."""
    for payload in SAME, *varied():
        assert classify(payload) is HttpApiEvent
        HttpApiEvent.decode(payload)

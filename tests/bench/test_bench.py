"""The benchmarks run. No test asserts a time."""

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    not shutil.which("cc"), reason="the trivial application is compiled"
)


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


BRIEFLY = ("--rounds", "2", "--invocations", "5", "--cores", "1")


@pytest.fixture(scope="module")
def timed(tmp_path_factory):
    """What the benchmark of invocations prints, and the file of its results."""
    file = tmp_path_factory.mktemp("bench") / "invoke.json"
    run = bench("invoke", "--subject", "ours", *BRIEFLY, "--json", file)
    assert run.returncode == 0, run.stderr
    return run.stdout, file


def test_invocations_are_timed(timed):
    """A round is a number for each metric; the JSON says whose, and where it ran."""
    output, file = timed

    results = json.loads(file.read_bytes())
    assert {each["metric"]: len(each["rounds"]) for each in results["series"]} == {
        "p50": 2,
        "p90": 2,
        "p99": 2,
        "turn-around p50": 2,
    }
    assert {each["subject"] for each in results["series"]} == {"ours"}
    assert results["machine"]["cpu"]
    assert "An invocation" in output


def test_cold_starts_are_timed(tmp_path):
    """A start is timed in its order: the application, the adapter, the first reply."""
    file = tmp_path / "cold-start.json"

    run = bench(
        *("cold-start", "--subject", "ours", "--app", "trivial", *BRIEFLY),
        *("--json", file),
    )

    assert run.returncode == 0, run.stderr
    ours = {
        each["metric"]: each["rounds"][0]
        for each in json.loads(file.read_bytes())["series"]
        if each["subject"] == "ours"
    }
    order = ["to the application's exec", "to /next", "to the reply"]
    assert sorted(order, key=ours.__getitem__) == order


def test_a_missing_subject_is_named(tmp_path):
    """A subject that is not available is named with the reason; the others are run."""
    file = tmp_path / "invoke.json"

    run = bench(
        *("invoke", "--subject", "LWA", "--subject", "bare", *BRIEFLY),
        *("--peer", tmp_path / "nothing", "--json", file),
    )

    assert run.returncode == 0, run.stderr
    results = json.loads(file.read_bytes())
    assert [each["subject"] for each in results["missing"]] == ["LWA"]
    assert {each["subject"] for each in results["series"]} == {"bare"}
    assert "LWA: missing" in run.stdout


def test_results_are_drawn(timed, tmp_path):
    """Pictures are made of the JSON, without a measurement."""
    run = bench("plot", timed[1], "--output", tmp_path)

    assert run.returncode == 0, run.stderr
    assert "<svg" in (tmp_path / "invoke.svg").read_text()


BUSY_ADAPTER = """
import os, pathlib, socket, sys, time

api, port, launched = sys.argv[1].split(":"), int(sys.argv[2]), sys.argv[3]
pathlib.Path(launched).write_text(f"0 {os.getpid()}")
api, app = socket.create_connection(api), socket.create_connection(("127.0.0.1", port))

def exchange(sock, request):
    sock.sendall(request)
    sock.setblocking(False)
    until = time.process_time() + 0.1
    while time.process_time() < until:
        try:
            sys.exit(print(f"too early: {sock.recv(65536)!r}"))
        except BlockingIOError:
            pass
    sock.setblocking(True)
    return sock.recv(65536)

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n"
event = exchange(api, NEXT)
request_id = event.split(b"Request-Id: ")[1][:32]
exchange(app, b"GET / HTTP/1.1\\r\\n\\r\\n")
post = b"POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\\r\\n\\r\\n"
exchange(api, post % request_id)
print("each time asleep")
"""


def test_the_far_end_of_the_counts_waits_for_sleep(tmp_path):
    """The far end of the counts sends nothing while a thread of the adapter runs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    event, launched = tmp_path / "event.json", tmp_path / "launched"
    event.write_bytes(b"{}")
    launched.write_text("")
    order = {"payload": str(event), "count": 1, "launched": str(launched)}
    with subprocess.Popen(
        [sys.executable, "-m", "bench.harness.runtime_api", port],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as far_end:
        assert far_end.stdin
        assert far_end.stdout
        address = far_end.stdout.readline().strip()
        far_end.stdin.write(json.dumps(order) + "\n")
        far_end.stdin.flush()

        adapter = subprocess.run(
            [sys.executable, "-c", BUSY_ADAPTER, address, port, launched],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        far_end.kill()

    assert adapter.stdout == "each time asleep\n", adapter.stderr

"""``local invoke``: one event to a function, and its reply."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.adapter import ENVIRON
from tests.local.conftest import APP, Gateways
from tests.local.terminal import LOCAL, app_port


def invoke(*arguments: str, event: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*LOCAL, "invoke", *arguments],
        env=ENVIRON,
        input=event,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_file(tmp_path: Path):
    """An event of a file goes to a function that is started for it, and then ends."""
    file = tmp_path / "event.json"
    file.write_text('{"Records":[1]}')

    done = invoke("--event", str(file), "--app-port", app_port(), "--", *APP)

    assert (done.returncode, done.stdout) == (0, '{"Records":[1]}\n')
    assert "request  POST /events  (Batch)" in done.stderr
    assert "ok  invoke  " in done.stderr


def test_kind():
    """An example event needs no file; its reply is the gateway's."""
    given = ("--kind", "http-api", "--path", "/cookies", "--app-port", app_port())

    done = invoke(*given, "--", *APP)

    assert done.returncode == 0
    assert json.loads(done.stdout)["cookies"] == [
        "first=1; Path=/",
        "second=2; HttpOnly",
    ]
    assert "request  GET /cookies  (HttpApi)" in done.stderr


def test_failure():
    """An invocation that fails has the status 1, and prints the error."""
    given = ("--event", "-", "--app-port", app_port())

    done = invoke(*given, "--", *APP, event='"fail"')

    assert done.returncode == 1
    assert json.loads(done.stdout)["errorType"] == "Runtime.AppRequestError"


def test_function_that_runs(gateways: Gateways):
    """Without a command, the event goes to the function at the port."""
    done = invoke(
        "--event", "-", "--port", str(gateways.ports["alb"]), event='"an event"'
    )

    assert (done.returncode, done.stdout) == (0, '"an event"\n')


def test_no_function():
    """Where no function runs, one line says what to do."""
    done = invoke("--kind", "sqs", "--port", app_port())

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error  no function at http://127.0.0.1:")
    assert "lambda-adapter local -- COMMAND" in done.stderr


@pytest.mark.parametrize("given", [[], ["--event", "-", "--kind", "sqs"]])
def test_no_event(given: list[str]):
    """An event has to be named, and only one."""
    done = invoke(*given)

    assert done.returncode == 64
    assert "either --event FILE or --kind KIND" in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings(gateways: Gateways, tmp_path: Path, encoding: str):
    """An event that an editor or PowerShell has saved in another encoding is read."""
    file = tmp_path / "event.json"
    file.write_bytes('"é"'.encode(encoding))

    done = invoke("--event", str(file), "--port", str(gateways.ports["alb"]))

    assert (done.returncode, json.loads(done.stdout)) == (0, "é")


def test_no_encoding(tmp_path: Path):
    """An event that is not in the encoding that it begins in is named, status 64."""
    file = tmp_path / "event.json"
    file.write_bytes(b"\xff\xfe\x00\xd8{")

    done = invoke("--event", str(file))

    assert done.returncode == 64
    assert "in UTF-16: save it as UTF-8" in done.stderr


def test_event_that_is_not_json(tmp_path: Path):
    """A file that is not JSON is named with the reason, and nothing is started."""
    (tmp_path / "event.json").write_text('{"Records": [}')
    mark = tmp_path / "started"

    done = invoke("--event", str(tmp_path / "event.json"), "--", "touch", str(mark))

    assert done.returncode == 64
    assert "event.json is not JSON: " in done.stderr
    assert not mark.exists()


def test_kind_in_place_of_a_file():
    """A kind of event that is given as a file is answered with its option."""
    done = invoke("--event", "sqs")

    assert done.returncode == 64
    assert "'sqs' is a kind of event: --kind sqs" in done.stderr

"""``startup_failure``: what Lambda and the log are told if nothing can be served."""

import functools
import subprocess
import sys

import pytest
import trio

import lambda_adapter
from lambda_adapter.errors import AdapterError, ConfigError
from lambda_adapter.startup_failure import TIMEOUT, describe_conflicts, post_init_error
from tests.emulator import PROJECT
from tests.fake_runtime_api import INIT_ERROR
from tests.ports import free_port

ERROR = ConfigError("AWS_LWA_PORT", "\udcff", "a port")


async def post(
    runtime_api: tuple[str, int], error: AdapterError = ERROR, limit: float = TIMEOUT
) -> str | None:
    """Post an error from a thread, beside the server that takes it."""
    with trio.fail_after(10):
        return await trio.to_thread.run_sync(
            functools.partial(post_init_error, runtime_api, error, limit)
        )


async def test_posted(runtime):
    """Lambda gets the message and the type of a failed init."""
    assert await post(("127.0.0.1", runtime.port)) is None

    (posted,) = runtime.posted
    assert posted.target == INIT_ERROR
    assert posted.fields["lambda-runtime-function-error-type"] == "Runtime.ConfigError"
    assert posted.fields["content-type"] == "application/json"
    assert posted.json() == {
        "errorMessage": str(ERROR),
        "errorType": "Runtime.ConfigError",
    }


REFUSED = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (REFUSED, "status 403"),
        (b"nonsense\r\n\r\n", "nonsense"),
        (b"", "closed"),
    ],
)
async def test_not_taken(runtime, answer, reason):
    """A refusal, an invalid response and a missing one are reported."""
    runtime.scripted[INIT_ERROR].append(answer)

    assert reason in (await post(("127.0.0.1", runtime.port)) or "")


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid", "x" * 64])
async def test_nobody_there(host):
    """An address that is invalid, or where nothing listens, is reported."""
    assert await post((host, free_port()))


async def test_no_answer(runtime):
    """Lambda has a limited time to reply."""
    runtime.held[INIT_ERROR] = trio.Event()

    failure = await post(("127.0.0.1", runtime.port), limit=0.05)

    assert "timed out" in (failure or "")


def test_no_conflicts():
    """If the adapter's own packages are imported, there is no conflict."""
    assert describe_conflicts() == (
        "all packages have the versions that the adapter comes with"
    )


def test_conflict(tmp_path):
    """A package of the application that shadows the adapter's is named."""
    for place, version in (("theirs", "1.0"), ("ours", "2.0")):
        info = tmp_path / place / f"trio-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: trio\nVersion: {version}\n")
    (tmp_path / "ours" / "lambda_adapter").symlink_to(lambda_adapter.__path__[0])
    code = (
        "from lambda_adapter.startup_failure import describe_conflicts as d; print(d())"
    )
    run = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": f"{tmp_path / 'theirs'}:{tmp_path / 'ours'}"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )

    assert run.stdout == (
        "the application's packages come first: trio 1.0 (the adapter comes with 2.0)\n"
    )

"""The FastAPI example in a zip package, behind the zipapp, in a managed runtime."""

import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.adapter import open_adapter
from tests.catalogue import KINDS
from tests.e2e.conftest import SHIV_ROOT
from tests.e2e.test_in_process import PACKAGES, python  # noqa: F401 - a fixture
from tests.emulator import BOOTSTRAP, PROJECT

EXAMPLE = PROJECT / "examples" / "fastapi-zip"


def installed_for(*names: str) -> Iterator[Path]:
    """Yield what pip would install for these, as files of this environment."""
    found, left = set[str](), set(names)
    while left:
        found.add(name := left.pop())
        distribution = metadata.distribution(name)
        for text in distribution.requires or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                left |= {needed.name} - found
        for file in distribution.files or []:
            if file.parts[0] != ".." and file.suffix != ".pyc":
                yield Path(file)


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """What Lambda unpacks: a zip file of the example and of what it needs."""
    archive = tmp_path / "function.zip"
    with zipfile.ZipFile(archive, "w") as package:
        package.write(EXAMPLE / "app.py", "app.py")
        for file in {*installed_for("fastapi", "snapshot-restore-py")}:
            package.write(Path(PACKAGES, file), file)
    with zipfile.ZipFile(archive) as package:
        package.extractall(tmp_path / "task")
    return tmp_path / "task"


def template_variables() -> dict[str, Any]:
    """Return the variables that the template sets, with the zipapp in its place."""
    text = (EXAMPLE / "template.yaml").read_text("utf-8")
    found = dict(re.findall(r"^ {10}(AWS_\w+): (\S+)$", text, re.MULTILINE))
    assert found["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/bootstrap"
    return found | {"AWS_LAMBDA_EXEC_WRAPPER": str(BOOTSTRAP)}


async def test_example(
    runtime,
    task,
    python: dict[str, Any],  # noqa: F811 - the fixture
):
    """The example logs, counts its connections and works on after its reply."""
    async with open_adapter(
        runtime.address,
        ["/var/lang/bin/python3.13", "/var/runtime/bootstrap.py"],
        adapter=[str(BOOTSTRAP)],
        stdout=subprocess.PIPE,
        LAMBDA_TASK_ROOT=str(task),
        port=None,
        AWS_LAMBDA_INITIALIZATION_TYPE="snap-start",
        AWS_LAMBDA_LOG_FORMAT="JSON",
        AWS_LAMBDA_LOG_LEVEL="INFO",
        _HANDLER="app.app",
        **template_variables(),
        **python,
        **SHIV_ROOT,
    ) as adapter:
        posted = await runtime.invoke(KINDS["http_api"]())
        await runtime.wait(lambda: runtime.polls == 1)
        adapter.process.terminate()
        await adapter.wait()
        assert adapter.process.stdout
        printed = b"".join([part async for part in adapter.process.stdout])

    reply = json.loads(str(posted.json()["body"]))
    assert (reply["message"], reply["open"]) == ("Hello from FastAPI!", 1)
    assert reply["request_id"] == "request-1"
    lines = [json.loads(line) for line in printed.splitlines()]
    assert [(each["message"], each["requestId"]) for each in lines] == [
        ("greeted", "request-1"),
        ("after the reply", "request-1"),
    ]
    assert lines[0]["event_version"] == "2.0"

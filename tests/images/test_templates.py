"""The examples' templates as SAM transforms them.

Its library holds back others of the environment that everybody has, so it has its own.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.applications import EXAMPLES
from tests.images.tools import installed

pytestmark = pytest.mark.images

Resources = dict[str, Any]
PROGRAM = str(Path(__file__).with_name("transform.py"))
STREAMING = "/2021-11-15/functions/${App.Arn}/response-streaming-invocations"


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The CloudFormation template of each example."""
    made = tmp_path_factory.mktemp("templates")
    sources = {path.parent.name: path for path in EXAMPLES.glob("*/template.yaml")}
    targets = {name: made / f"{name}.json" for name in sources}
    tools = installed("aws-sam-translator~=1.105", "pyyaml~=6.0")
    pairs = [each for name in sources for each in (sources[name], targets[name])]
    subprocess.run([str(tools / "python3"), PROGRAM, *pairs], check=True)
    return targets


def resources(template: Path) -> Resources:
    """Return what a template makes."""
    made: Resources = json.loads(template.read_text())["Resources"]
    return made


def test_transformed(templates: dict[str, Path]):
    """SAM can transform each template, and cfn-lint finds no error in the outcome."""
    cfn_lint = str(Path(sys.executable).with_name("cfn-lint"))
    command = [cfn_lint, "--ignore-checks", "W", "--template"]

    done = subprocess.run(
        [*command, *templates.values()], capture_output=True, text=True
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_streaming_rest_api(templates: dict[str, Path]):
    """All methods of a REST API before a function that streams are to stream, too."""
    api = resources(templates["sse"])["Api"]["Properties"]["Body"]

    integrations = [
        method["x-amazon-apigateway-integration"]
        for path in api["paths"].values()
        for method in path.values()
    ]

    assert len(integrations) == 2
    for each in integrations:
        assert each["responseTransferMode"] == "STREAM"
        assert each["uri"]["Fn::Sub"].endswith(STREAMING)


@pytest.mark.parametrize("name", ["fastapi", "mcp", "nextjs", "sse"])
def test_streaming_function_url(templates: dict[str, Path], name: str):
    """A function URL streams where its function does."""
    made = resources(templates[name])
    variables = made["App"]["Properties"]["Environment"]["Variables"]

    assert variables["AWS_LWA_INVOKE_MODE"] == "response_stream"
    assert made["AppUrl"]["Properties"]["InvokeMode"] == "RESPONSE_STREAM"


def test_failures_are_kept(templates: dict[str, Path]):
    """What fails for good is kept: each way to the function has a queue for it."""
    made = resources(templates["events"])
    failed = {"Fn::GetAtt": ["Failed", "Arn"]}
    others = made["AppEventInvokeConfig"]["Properties"]["DestinationConfig"]
    stream = made["AppChanges"]["Properties"]
    queue = made["Orders"]["Properties"]["RedrivePolicy"]
    sources = [each for each in made.values() if "EventSource" in each["Type"]]

    assert others["OnFailure"]["Destination"] == failed
    assert stream["DestinationConfig"]["OnFailure"]["Destination"] == failed
    assert queue["deadLetterTargetArn"] == failed
    assert len(sources) == 2
    for each in sources:
        types = each["Properties"]["FunctionResponseTypes"]
        assert types == ["ReportBatchItemFailures"]

"""What deploys the Flask example besides SAM: the CDK and Terraform.

The CDK's library has 430 MB, too much for everybody's environment, so it is tested with
the images. Terraform's provider comes from Terraform's registry alone; without it there
is no `terraform validate`, and what is checked is the syntax.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.applications import EXAMPLES, need
from tests.images.tools import installed

pytestmark = pytest.mark.images

CDK = EXAMPLES / "flask/cdk"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template that the CDK makes of the example."""
    need("node")
    tools = installed(*(CDK / "requirements.txt").read_text().split())
    made = tmp_path_factory.mktemp("cdk.out")
    path = f"{tools}:{os.environ['PATH']}"
    environ = {**os.environ, "CDK_OUTDIR": str(made), "PATH": path}
    command = json.loads((CDK / "cdk.json").read_text())["app"].split()
    subprocess.run(command, cwd=CDK, env=environ, check=True)
    return made / "FlaskExample.template.json"


def test_cdk(template: Path):
    """The template that the CDK makes has no error that cfn-lint finds."""
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    command = [str(cfn_lint), "--ignore-checks", "W", "--template"]

    done = subprocess.run([*command, template], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


def test_cdk_rights(template: Path):
    """The CDK's function may write to its own log, and nothing else."""
    resources = json.loads(template.read_text())["Resources"]
    of_kind = {each["Type"]: each["Properties"] for each in resources.values()}
    log = next(name for name in resources if name.startswith("Log"))

    (statement,) = of_kind["AWS::IAM::Policy"]["PolicyDocument"]["Statement"]

    assert statement["Resource"] == {"Fn::GetAtt": [log, "Arn"]}
    assert set(statement["Action"]) == {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert "ManagedPolicyArns" not in of_kind["AWS::IAM::Role"]
    assert of_kind["AWS::Logs::LogGroup"]["RetentionInDays"] == 14


def test_cdk_image(template: Path):
    """The image's context has what the Dockerfile copies, and nothing of the CDK."""
    (asset,) = template.parent.glob("asset.*")

    there = {path.name for path in asset.iterdir()}

    assert {"Dockerfile", "app.py", "requirements.txt"} <= there
    assert there & {"cdk", "terraform"} == set()


def test_terraform():
    """Terraform reads the files, and would format them the same."""
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed")

    done = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", EXAMPLES / "flask/terraform"],
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout) == (0, "")

"""Transform SAM templates into CloudFormation's: FILE TARGET FILE TARGET...

For the environment that has aws-sam-translator, which is what AWS runs on each deploy.
"""

import json
import sys
from pathlib import Path

from boto3 import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ARTIFACTS = {
    "ImageUri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/example:latest",
    "CodeUri": "s3://bucket/function.zip",
    "ContentUri": "s3://bucket/layer.zip",
}
"""What ``sam build`` and ``sam package`` put in place of what is on this machine."""


def transform(source: Path, target: Path) -> None:
    """Transform one template."""
    template = yaml_parse(source.read_text())
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if properties.get("PackageType") == "Image":
            properties["ImageUri"] = ""
        properties |= {
            name: ARTIFACTS[name] for name in properties if name in ARTIFACTS
        }
    session = Session(region_name="eu-west-1")
    done = Translator({}, Parser(), boto_session=session).translate(template, {})
    target.write_text(json.dumps(done))


files = [Path(argument) for argument in sys.argv[1:]]
for source, target in zip(files[::2], files[1::2], strict=True):
    transform(source, target)

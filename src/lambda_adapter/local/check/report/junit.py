"""Render a report for CI: JUnit's XML, with a test case for each kind of finding.

https://github.com/testmoapp/junitxml
"""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from lambda_adapter.local.check.finding import Finding, Status
from lambda_adapter.local.check.result import Result

_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML forbids: https://www.w3.org/TR/xml/#charsets"""


def render(result: Result) -> bytes:
    """Return a report in JUnit's XML; warnings are output, but do not fail."""
    findings = result.ordered
    failures = sum(each.status is Status.FAILURE for each in findings)
    counts = {"tests": str(len(findings)), "failures": str(failures)}
    suites = Element("testsuites", counts)
    suite = SubElement(suites, "testsuite", {"name": "lambda-adapter check", **counts})
    for finding in findings:
        names = {
            "classname": f"check.{finding.kind}",
            "name": _without_controls(finding.title),
        }
        case = SubElement(suite, "testcase", names)
        if finding.status is Status.FAILURE:
            failure = SubElement(
                case, "failure", {"message": _without_controls(finding.title)}
            )
            failure.text = _failure_details(finding)
        elif finding.status is Status.WARNING:
            SubElement(
                case, "system-out"
            ).text = f"warning\n{_failure_details(finding)}"
    return str(tostring(suites, "unicode")).encode()


def _failure_details(finding: Finding) -> str:
    parts = [
        f"seen: {finding.seen}",
        f"on Lambda: {finding.on_lambda}",
        f"cure: {finding.cure}",
        f"page: docs/{finding.page}",
    ]
    return _without_controls("\n".join(parts))


def _without_controls(text: str) -> str:
    return _FORBIDDEN.sub("?", text)

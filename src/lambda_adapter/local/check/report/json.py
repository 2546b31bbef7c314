"""Render a report as JSON, for programs."""

import msgspec

from lambda_adapter.local.check.report.text import verdict
from lambda_adapter.local.check.result import Result


def render(result: Result) -> bytes:
    """Return a report in JSON, with findings in the order of the text."""
    document = {
        "verdict": verdict(result),
        "failed": result.failed,
        "complete": result.complete,
        "command": result.command,
        "memory_mb": result.memory_mb,
        "sandbox": result.sandbox,
        "findings": result.ordered,
        "start": result.start,
        "bill": [msgspec.to_builtins(each, str_keys=True) for each in result.bill],
        "assumptions": result.assumptions,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"

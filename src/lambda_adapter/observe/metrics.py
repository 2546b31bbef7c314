"""Write CloudWatch metrics as log lines, in the embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import os
import time
from collections.abc import Mapping

import msgspec

from lambda_adapter.observe import logs

NAMESPACE = "LambdaAdapter"

MAX_TEXT = 200
"""Most characters of a property. A function's name has at most 140, a request ID 36:
https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""


def encode_line(
    properties: Mapping[str, str | int], metrics: Mapping[str, float]
) -> str:
    """Encode metrics: milliseconds for names that end in ``Time``, else counts.

    The only dimension is the function's name. Properties can be searched for in the
    log, but do not create metrics, which cost money.
    """
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": name, "Unit": _metric_unit(name)} for name in metrics],
    }
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    document = {
        "_aws": about,
        **{name: _metric_property(value) for name, value in properties.items()},
        **{name: round(value, 3) for name, value in metrics.items()},
    }
    return msgspec.json.encode(document).decode() + "\n"


def write_line(
    properties: Mapping[str, str | int], metrics: Mapping[str, float]
) -> None:
    """Write a line of metrics to stderr, which Lambda collects like the log."""
    logs.write_line(encode_line(properties, metrics))


def seconds_since_exec(proc: str = "/proc") -> float:
    """Return the age of this process to 10 ms, or 0 without ``/proc``.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (starttime)
    """
    try:
        with open(f"{proc}/self/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def _metric_unit(name: str) -> str:
    return "Milliseconds" if name.endswith("Time") else "Count"


def _metric_property(value: str | int) -> str | int:
    return value[:MAX_TEXT] if isinstance(value, str) else value

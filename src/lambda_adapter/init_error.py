"""Telling Lambda why the adapter can't start, with the standard library alone.

``runtime.client`` may be what can't be imported. Imported only for this. Shell.
"""

import http.client
import json

from lambda_adapter.errors import AdapterError
from lambda_adapter.quoting import MAX_ERROR

TARGET = "/2018-06-01/runtime/init/error"
"""https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror"""

TIMEOUT = 2.0
"""Seconds that Lambda may take to connect, and again to respond."""


def post_init_error(
    runtime_api: tuple[str, int], error: AdapterError, timeout: float = TIMEOUT
) -> str | None:
    """Post the error to ``host, port``, and return why that failed, if it did."""
    report = {
        "errorMessage": error.report[:MAX_ERROR],
        "errorType": error.error_type,
    }
    fields = {
        "Content-Type": "application/json",
        "Lambda-Runtime-Function-Error-Type": error.error_type,
    }
    connection = http.client.HTTPConnection(*runtime_api, timeout=timeout)
    try:
        connection.request("POST", TARGET, json.dumps(report), fields)
        status = connection.getresponse().status
    # A UnicodeError is a host that is too long for a name.
    except (OSError, http.client.HTTPException, UnicodeError) as failure:
        return str(failure) or type(failure).__name__
    finally:
        connection.close()
    return None if status == http.client.ACCEPTED else f"status {status}"

"""What fails an invocation, and only that. Shell."""

from lambda_adapter.errors import InternalError, InvocationError
from lambda_adapter.observe.logs import log


def as_invocation_error(error: Exception, subject: str) -> InvocationError:
    """Log the failure of a subject, and return it as one of this invocation's.

    This is the one place where a fault of the adapter is caught: it costs an
    invocation, not the environment.
    """
    if isinstance(error, InvocationError):
        log.error("%s", error.line(subject))
        return error
    failure = InternalError(f"a fault of the adapter: {type(error).__name__}: {error}")
    log.error("%s", failure.line(subject), exc_info=error)
    return failure

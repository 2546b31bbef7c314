"""All errors, arranged by what happens next.

    AdapterError
    ├── ConfigError           nothing is started: POST init/error, exit 64
    ├── OptionError           the same
    ├── UnsupportedPythonError the same, but the application was started, and is killed
    ├── InitError             POST init/error with the reason, exit 1
    │   ├── AppStartError         the command can't be started
    │   ├── AppImportError        the application can't be imported
    │   ├── AppNotReadyError      the application ended before it was ready
    │   └── BeforeCheckpointError the application is not fit for a snapshot
    ├── AfterRestoreError     POST restore/error with the reason, exit 1
    ├── InvocationError       this invocation fails, the loop goes on
    │   ├── EventError            the event can't be translated             HTTP 400
    │   ├── ClosedPathError       the path is not for clients             HTTP 403
    │   ├── AppRequestError       the application gave no usable response   HTTP 502
    │   ├── AppFailedError        the application raised, or sent no response HTTP 500
    │   ├── ResponseTooLargeError Lambda would refuse the reply             HTTP 502
    │   ├── AppStatusError        the status counts as an error by setting  never HTTP
    │   ├── DeadlineError         no response before Lambda's deadline      HTTP 504
    │   └── InternalError         a fault of the adapter itself             HTTP 500
    ├── FatalError            log, stop the application, exit 1
    │   ├── AppExitedError        the application ended while serving
    │   ├── AppStuckError         the application still works on an abandoned request
    │   └── RuntimeApiError       the Runtime API is unreachable
    └── PeerError             a connection failed; the client that owns it turns it
                              into one of the above

The client of an HTTP event gets the HTTP status named above, so that it sees the real
cause; any other event gets an invocation error, so that its source retries.
"""


class AdapterError(Exception):
    """The base class of all errors that the adapter raises on purpose.

    The text says what happened, with figures; ``advice`` says what to do.
    """

    advice: str = ""
    subject: str = ""
    """``METHOD PATH`` of the request that led to it, if the raising code knows it."""

    @property
    def error_type(self) -> str:
        r"""The ``errorType`` for Lambda: ``Runtime.`` and two or more letters.

        Lambda replaces names that do not match ``(Runtime|Function)\.[A-Z][a-zA-Z]+``:
        https://github.com/aws/aws-lambda-runtime-interface-emulator/blob/main/internal/lambda/fatalerror/fatalerror.go
        """
        return f"Runtime.{type(self).__name__}"

    @property
    def report(self) -> str:
        """The message sent to Lambda; by default the logged one."""
        # Names of files that are not in UTF-8 are lone surrogates in Python, which JSON
        # can't encode.
        return str(self).encode("utf-8", "replace").decode()

    def line(self, subject: str = "") -> str:
        """Return the line for the log: ``TYPE: METHOD PATH: what happened; advice``.

        The subject is ``METHOD PATH`` of the failed request: ``Call.subject``.
        """
        what = f"{self}; {self.advice}" if self.advice else str(self)
        parts = (self.error_type, subject or self.subject, what)
        return ": ".join(part for part in parts if part)


class ConfigError(AdapterError):
    """A setting has an unusable value."""

    def __init__(self, variable: str, value: str, expected: str) -> None:
        super().__init__(f"{variable}={value!r} is not usable: expected {expected}")
        self.variable = variable


class OptionError(AdapterError):
    """The command line can't be used."""


class UnsupportedPythonError(AdapterError):
    """This Python can't import what the adapter needs."""


class InitError(AdapterError):
    """The application did not start: report it to Lambda, and exit."""

    is_late: bool = False
    """Whether Lambda's init had ended before, so that Lambda takes no such report."""


class AppStartError(InitError):
    """The command can't be started."""


class AppImportError(InitError):
    """The application can't be imported into this process."""


class AppNotReadyError(InitError):
    """The application ended before it was ready."""


class BeforeCheckpointError(InitError):
    """The application's hook before a snapshot failed, or did not respond."""


class AfterRestoreError(AdapterError):
    """The application can't continue after a restore: report it to Lambda."""


class InvocationError(AdapterError):
    """This invocation fails; the next one is served.

    ``status``, ``reason`` and ``public`` make the response to the client of an HTTP
    event. The message itself is only logged, because it may reveal internals.
    """

    status: int = 500
    reason: bytes = b"Internal Server Error"
    public: str = "The adapter failed to serve this request."
    is_for_client: bool = True
    """Whether an HTTP client gets a response; if not, the invocation fails instead."""


class EventError(InvocationError):
    """The event can't be translated to a request: it is malformed or unsafe."""

    status = 400
    reason = b"Bad Request"
    advice = "what invokes the function has to send it in another way"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.public = message  # safe to return: it only describes the client's input


class ClosedPathError(InvocationError):
    """A client asked for a path that only the adapter may call."""

    status = 403
    reason = b"Forbidden"
    public = "This path is not for clients."
    advice = "if a page of the application has such a path, give the hook a longer one"


class AppRequestError(InvocationError):
    """The application gave no response, or one that is not HTTP."""

    status = 502
    reason = b"Bad Gateway"
    public = "The application gave no usable response."
    advice = "the application's own log may say why"


class AppFailedError(InvocationError):
    """An application in this process raised, or ended without a whole response.

    Its traceback is in the log.
    """

    public = "The application failed."


class ResponseTooLargeError(InvocationError):
    """The reply is larger than Lambda accepts."""

    status = 502
    reason = b"Bad Gateway"
    public = "The application's response is larger than AWS Lambda can return."
    advice = "return less, stream it, or redirect to a bucket"


class AppStatusError(InvocationError):
    """The application's status is one of AWS_LWA_ERROR_STATUS_CODES.

    Lambda gets the status and the body, as JSON. The log gets no body.
    """

    is_for_client = False
    advice = "the application's own log may say why"

    def __init__(self, status: int, report: str) -> None:
        super().__init__(
            f"the application responded with {status}, which"
            " AWS_LWA_ERROR_STATUS_CODES names"
        )
        self._report = report

    @property
    def report(self) -> str:
        """``{"statusCode":503,"body":"..."}``, as in the AWS Lambda Web Adapter."""
        return self._report


class DeadlineError(InvocationError):
    """The application did not respond before Lambda's deadline."""

    status = 504
    reason = b"Gateway Timeout"
    public = "The application did not respond in time."
    advice = "raise the function's timeout, or find out what the application waits for"


class InternalError(InvocationError):
    """A fault of the adapter: the log has the traceback."""

    advice = "report it, with the traceback below"


class FatalError(AdapterError):
    """Serving can't go on: the application or the Runtime API is gone."""


class AppExitedError(FatalError):
    """The application exited while it was serving."""

    advice = "its own lines in the log may say why"


class AppStuckError(FatalError):
    """The application works on an abandoned request, and responds to no other.

    The next request would have to wait for it, so this environment ends.
    """

    def __init__(self, message: str, subject: str) -> None:
        super().__init__(message)
        self.subject = subject


class RuntimeApiError(FatalError):
    """The Runtime API is unreachable, or says that this environment is lost."""


class PeerError(AdapterError):
    """The peer dropped the connection, or violated HTTP/1.1."""

    def __init__(self, message: str, *, answered: bool) -> None:
        super().__init__(message)
        self.answered = answered
        """Whether any byte of a response had arrived: if so, never retry."""


class NotListeningError(PeerError):
    """Nothing listens at the peer's address, so not a byte was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, answered=False)

"""What can go wrong, arranged by what happens next.

    AdapterError
    ├── ConfigError           nothing is started: POST init/error, exit 64
    ├── OptionError           the same
    ├── UnsupportedPythonError the same, but the application was started, and is ended
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
    │   ├── AppStatusError        a status that is set to be an error       never HTTP
    │   ├── DeadlineError         no response before Lambda's deadline      HTTP 504
    │   └── InternalError         a fault of the adapter itself             HTTP 500
    ├── FatalError            log, stop the application, exit 1
    │   ├── AppExitedError        the application ended while serving
    │   ├── AppStuckError         the application goes on with what was given up
    │   └── RuntimeApiError       Lambda can't be talked to
    └── PeerError             a connection failed; the client that owns it decides
                              which of the above that is

The client of an HTTP event gets the HTTP status named above, so that it sees
something true; any other event gets an invocation error, so that its source retries.
"""


class AdapterError(Exception):
    """The root: everything that the adapter raises on purpose.

    The text says what happened, with figures; ``advice`` says what to do.
    """

    advice: str = ""
    subject: str = ""
    """``METHOD PATH`` of the request that led to it, where that is known here."""

    @property
    def error_type(self) -> str:
        r"""The name on the wire: ``Runtime.`` and two or more letters.

        Lambda replaces what does not match ``(Runtime|Function)\.[A-Z][a-zA-Z]+``:
        https://github.com/aws/aws-lambda-runtime-interface-emulator/blob/main/internal/lambda/fatalerror/fatalerror.go
        """
        return f"Runtime.{type(self).__name__}"

    @property
    def report(self) -> str:
        """The message sent to Lambda; by default the logged one."""
        return str(self)

    def line(self, subject: str = "") -> str:
        """Return the line for the log: ``TYPE: METHOD PATH: what happened; advice``.

        The subject is what failed, ``METHOD PATH`` of a request: ``Turn.subject``.
        """
        what = f"{self}; {self.advice}" if self.advice else str(self)
        parts = (self.error_type, subject or self.subject, what)
        return ": ".join(part for part in parts if part)


class ConfigError(AdapterError):
    """A setting that can't be used, by name."""

    def __init__(self, variable: str, value: str, expected: str) -> None:
        super().__init__(f"{variable}={value!r} is not usable: expected {expected}")
        self.variable = variable


class OptionError(AdapterError):
    """The command line makes no sense."""


class UnsupportedPythonError(AdapterError):
    """This Python can't import what the adapter needs."""


class InitError(AdapterError):
    """The application never came up: Lambda is told why, and the process ends."""


class AppStartError(InitError):
    """The command can't be started."""


class AppImportError(InitError):
    """The application can't be imported into this process."""


class AppNotReadyError(InitError):
    """The application ended before it was ready."""


class BeforeCheckpointError(InitError):
    """The application refused the hook before a snapshot, or did not respond to it."""


class AfterRestoreError(AdapterError):
    """The application is not fit to go on after a restore: Lambda is told why."""


class InvocationError(AdapterError):
    """This invocation fails; the next one is served.

    ``status`` and ``reason`` are the HTTP response to an HTTP event. ``public`` is what
    its client is told; the message itself is for the log, because it may speak of
    what is inside.
    """

    status: int = 500
    reason: bytes = b"Internal Server Error"
    public: str = "The adapter failed to serve this request."
    is_for_client: bool = True
    """Whether an HTTP client is told; if not, the invocation fails for it, too."""


class EventError(InvocationError):
    """The event can't be translated: it is malformed, or it would be unsafe to."""

    status = 400
    reason = b"Bad Request"
    advice = "what invokes the function has to send it in another way"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.public = message  # all of it is about what the client sent


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
    """The application responded with a status that is set to be an error.

    Lambda is told the status and the body, as JSON. The log gets no body.
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
        """``{"statusCode":503,"body":"..."}``, as the AWS Lambda Web Adapter has it."""
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
    """There is nothing left to serve, or nobody to serve it for."""


class AppExitedError(FatalError):
    """The application ended while it was meant to serve."""


class AppStuckError(FatalError):
    """The application goes on with a request that was given up, and with nothing else.

    The next request would wait behind it, so this environment ends.
    """


class RuntimeApiError(FatalError):
    """Lambda can't be talked to, or says that this environment is lost."""


class PeerError(AdapterError):
    """The peer broke the connection off, or broke HTTP/1.1."""

    def __init__(self, message: str, *, answered: bool) -> None:
        super().__init__(message)
        self.answered = answered
        """Whether any byte of a response had arrived: if so, never ask again."""


class NotListeningError(PeerError):
    """Nothing listens at the peer's address: not a byte was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, answered=False)

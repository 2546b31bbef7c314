"""One call of a WSGI application, by the rules of PEP 3333.

https://peps.python.org/pep-3333/#the-start-response-callable
"""

import re
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Protocol

from lambda_adapter.app.in_process.response import (
    BODILESS,
    check_fields,
    check_status,
    content_length,
)
from lambda_adapter.app.in_process.wsgi.environ import Environ

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
Write = Callable[[bytes], object]

NO_CONTENT = 204
"""A status whose responses have no Content-Length; gunicorn leaves it out as well:
https://www.rfc-editor.org/rfc/rfc9110#section-8.6-9"""

_STATUS = re.compile(r"([0-9]{3})(?: ([^\x00-\x08\x0a-\x1f\x7f]*))?")


class StartResponse(Protocol):
    """The callable with which an application begins its response."""

    def __call__(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: ExcInfo | None = None,
    ) -> Write:
        """Accept the status and the headers; return ``write`` for the body."""


Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Head:
    """The beginning of a response."""

    def __init__(self, status: str, headers: list[tuple[str, str]]) -> None:
        match = _STATUS.fullmatch(_native(status, "the status"))
        if not match:
            raise ValueError(f"{status!r} is not a status such as '200 OK'")
        self.status = check_status(int(match[1]))
        self.reason = _latin_1(match[2] or "", "the status")
        self.fields = check_fields(
            (
                _latin_1(name, "the name of the header {!r}", name),
                _latin_1(value, "the value of the header {!r}", name),
            )
            for name, value in headers
        )
        self.left = content_length(self.fields)
        """Bytes of the body that are still missing, if the length is declared."""
        if self.status == NO_CONTENT:
            self.fields = [f for f in self.fields if f[0].lower() != b"content-length"]


def _native(text: object, what: str) -> str:
    """Return a native string: https://peps.python.org/pep-3333/#a-note-on-string-types.

    Raises:
        TypeError: it is not a string.
    """
    if not isinstance(text, str):
        raise _wrong_type(text, what)
    return text


def _wrong_type(text: object, what: str) -> TypeError:
    return TypeError(f"{what} is a {type(text).__name__}, not a str")


def _latin_1(text: object, what: str, name: object = "") -> bytes:
    """Return the bytes that a native string stands for.

    ``what`` is formatted with ``name`` for an error only: nearly all headers are valid,
    and formatting costs more than encoding.

    Raises:
        TypeError: it is not a string.
        ValueError: it has characters beyond Latin-1.
    """
    if not isinstance(text, str):
        raise _wrong_type(text, what.format(name))
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        odd = text[error.start]
        what = what.format(name)
        raise ValueError(f"{what} has {odd!r}, which is not in Latin-1") from None


class Exchange:
    """A call and the head of its response; pieces of the body go to ``emit``."""

    head: Head | None = None
    is_over = False
    """Whether the application has returned, and its pieces were emitted."""
    _began = False
    """Whether a piece was emitted, so that the head can't be replaced any more."""

    def __init__(
        self,
        app: Application,
        environ: Environ,
        emit: Callable[[bytes], None],
    ) -> None:
        self._app = app
        self._environ = environ
        self._emit = emit
        self._is_head = environ["REQUEST_METHOD"] == "HEAD"
        self._iterable: Iterable[bytes] | None = None

    def run(self) -> None:
        """Call the application, and emit the pieces of the body.

        Raises:
            Exception: raised by the application, or because it sent no valid response.
        """
        try:
            self._iterable = self._app(self._environ, self._start_response)
            for piece in self._iterable:
                self._write(piece)
        finally:
            self.is_over = True
        if self.head is None:
            raise RuntimeError("start_response was not called")
        if self.head.left and not self._has_no_body(self.head):
            raise RuntimeError(
                f"the body is {self.head.left} bytes shorter than Content-Length"
            )

    @property
    def closes(self) -> bool:
        """Whether the returned iterable has a ``close``."""
        return hasattr(self._iterable, "close")

    def close(self) -> None:
        """Call ``close`` of the returned iterable, also after an error.

        Raises:
            Exception: raised by ``close``.
        """
        close: Callable[[], object] | None = getattr(self._iterable, "close", None)
        self._iterable = None
        if close:
            close()

    def _start_response(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: ExcInfo | None = None,
    ) -> Write:
        # The names are gunicorn's, waitress's and wsgiref's, and some applications use
        # them, although PEP 3333 wants positional arguments.
        if exc_info:
            try:
                if self._began:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                # Or the traceback, this frame and this variable would form a cycle:
                # https://peps.python.org/pep-3333/#error-handling
                exc_info = None
        elif self.head:
            raise RuntimeError("start_response was called twice without exc_info")
        self.head = Head(status, headers)
        return self._write

    def _write(self, piece: bytes) -> None:
        """Emit a piece, cut to the declared length."""
        if self.is_over:
            raise RuntimeError("write was called after the response was complete")
        head = self.head
        if not isinstance(piece, bytes):
            raise TypeError(f"a piece of the body is a {type(piece).__name__}")
        if head is None:
            raise RuntimeError("a piece of the body before start_response")
        if not piece or self._has_no_body(head):
            return
        if head.left is not None:
            # https://peps.python.org/pep-3333/#handling-the-content-length-header
            piece = piece[: head.left]
            head.left -= len(piece)
        if piece:
            self._began = True
            self._emit(piece)

    def _has_no_body(self, head: Head) -> bool:
        return self._is_head or head.status in BODILESS

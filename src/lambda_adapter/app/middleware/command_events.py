"""AWS_LWA_COMMAND_EVENTS: an event that names a command runs it in the environment.

``{"lambda_adapter": {"command": ["python", "manage.py", "migrate"]}}`` is such an
event. The object has no other key, and no event that a gateway, a queue or a topic
makes has this shape, whatever a client sends: a client's text is within such an event.
The command has the application's variables, and a process group that ends with it.
"""

import os
import signal
import subprocess
from collections.abc import Mapping

import msgspec
import trio

from lambda_adapter.app.app import Call, Middleware
from lambda_adapter.events.pass_through import PassThroughEvent
from lambda_adapter.http.messages import Request, Response
from lambda_adapter.launcher import application_environ, tie_group
from lambda_adapter.observe.logs import log

MAX_EVENT = 65_536
"""Bytes of an event with a command."""

MAX_OUTPUT = 131_072
"""Bytes of the output that the reply has: the last ones. As JSON they may be six times
as long, and Lambda accepts 6 MB."""

MAX_LOGGED = 1_048_576
"""Bytes of the output that are logged: the first ones."""

MAX_PIECE = 65_536
"""Bytes that are read in one step."""

MAX_REST = 1_048_576
"""Bytes that a pipe can hold: https://man7.org/linux/man-pages/man7/pipe.7.html"""

GRACE = 1.0
"""Seconds from SIGTERM to SIGKILL, before the deadline."""

CUT = b"\n... the rest of the command's output is not logged\n"


class _Command(msgspec.Struct, forbid_unknown_fields=True):
    command: list[str]


class _CommandEvent(msgspec.Struct, forbid_unknown_fields=True):
    lambda_adapter: _Command


class _Reply(msgspec.Struct):
    command: list[str]
    status: int
    """The exit status; 128 and the signal's number if a signal ended it."""
    output: str
    """The last of stdout and stderr."""
    truncated: bool
    timed_out: bool


class CommandEvents(Middleware):
    """Runs the command that an event names, instead of sending a request."""

    async def send(self, request: Request, call: Call) -> Response:
        """Run the command of an event; send any other event to the application."""
        command = find_command(call)
        if command is None:
            return await self._transport.send(request, call)
        log.info("running the command %s of an event", command[0])
        reply = await run(command, call.deadline, os.environ)
        body = msgspec.json.encode(reply)
        fields = [(b"content-type", b"application/json")]
        return Response(200, b"OK", fields, body)


def find_command(call: Call) -> list[str] | None:
    """Return the command that an event names, or None."""
    payload = call.invocation.payload
    if call.kind is not PassThroughEvent or len(payload) > MAX_EVENT:
        return None
    try:
        event = msgspec.json.decode(payload, type=_CommandEvent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    command = event.lambda_adapter.command
    if not command or not command[0] or any("\0" in word for word in command):
        return None
    return command


async def run(
    command: list[str], deadline: float, environ: Mapping[str, str]
) -> _Reply:
    """Run a command until it ends or trio's clock says ``deadline``."""
    output = CommandOutput()
    try:
        process = _start_command(command, environ)
    except (OSError, ValueError) as error:
        output.add(f"{command[0]}: {error}\n".encode())
        missing = isinstance(error, FileNotFoundError)
        return output.reply(command, 127 if missing else 126, timed_out=False)
    # SIGKILL of the adapter ends the command, too, with all that it has started.
    lifeline = os.pipe()
    try:
        tie_group(process.pid, lifeline)
        is_late = not await _follow_command(process, output, deadline)
    finally:
        _end_command_group(process.pid, signal.SIGKILL)
        for end in lifeline:
            os.close(end)
        status = process.wait()
        if process.stdout:
            output.read_rest(process.stdout.fileno())
            process.stdout.close()
    return output.reply(
        command, status if status >= 0 else 128 - status, timed_out=is_late
    )


async def _follow_command(
    process: subprocess.Popen[bytes], output: "CommandOutput", deadline: float
) -> bool:
    """Read the output until the command ends; return whether it ended in time."""
    pipe = process.stdout.fileno() if process.stdout else -1
    ended = os.pidfd_open(process.pid)
    os.set_blocking(pipe, False)
    try:
        with trio.move_on_at(deadline - GRACE):
            await _read_until_ended(pipe, ended, output)
            return True
        _end_command_group(process.pid, signal.SIGTERM)
        with trio.move_on_at(deadline):
            await _read_until_ended(pipe, ended, output)
        return False
    finally:
        os.close(ended)


async def _read_until_ended(pipe: int, ended: int, output: "CommandOutput") -> None:
    async def read() -> None:
        # A wait after each piece, or a command that prints for ever would outlast every
        # deadline.
        while output.read(pipe):
            await trio.lowlevel.wait_readable(pipe)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await trio.lowlevel.wait_readable(ended)
        nursery.cancel_scope.cancel()


def _start_command(
    command: list[str], environ: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - whoever may invoke names it, by the setting
        [os.fsencode(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=application_environ(environ),
        process_group=0,
    )


def _log_command(text: bytes) -> None:
    """Write the command's output to stderr, unchanged."""
    while text:
        text = text[os.write(2, text) :]


def _end_command_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


class CommandOutput:
    """A command's output: the first of it in the log, the last of it in the reply."""

    def __init__(self) -> None:
        self._last = b""
        self._size = 0

    def read(self, pipe: int) -> bool:
        """Read a piece of the command's output; return whether there may be more."""
        try:
            piece = os.read(pipe, MAX_PIECE)
        except BlockingIOError:
            return True
        self.add(piece)
        return bool(piece)

    def read_rest(self, pipe: int) -> None:
        """Read the rest of the command's output, after its end."""
        for _ in range(MAX_REST // MAX_PIECE):
            size = self._size
            if not self.read(pipe) or self._size == size:
                return

    def add(self, piece: bytes) -> None:
        """Log a piece of the command's output, and keep the last of all of it."""
        room = MAX_LOGGED - self._size
        if room > 0:
            _log_command(piece[:room] + (CUT if len(piece) > room else b""))
        self._size += len(piece)
        self._last = (self._last + piece)[-MAX_OUTPUT:]

    def reply(self, command: list[str], status: int, *, timed_out: bool) -> _Reply:
        """Return the reply to an event that named a command."""
        text = self._last.decode("utf-8", "replace")
        return _Reply(command, status, text, self._size > MAX_OUTPUT, timed_out)

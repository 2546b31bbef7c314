"""Run the hooks of a Lambda MicroVM, and decide the status of each call.

200 means done. 503 means "call again", which Lambda does only for ``ready`` and
``validate``. Since it may wait for only 1 s, these two work in a thread and report the
result to a later call. Any other status fails the image's build or ends the MicroVM.
"""

import json
import signal
import threading
import time

from lambda_adapter.config import Config
from lambda_adapter.launcher import Child
from lambda_adapter.microvm.app_requests import (
    RequestFailedError,
    check_ready,
    request_status,
)
from lambda_adapter.microvm.notices import notice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[], str | None]
    """Long work: returns why it failed, or None."""

MOMENT = 0.8
"""Seconds until ``ready`` and ``validate`` respond: Lambda waits for 1 s by default
(measured)."""

BUILD_TIMEOUT = 3_600.0
"""Longest configurable timeout of ``ready`` and ``validate``, in seconds."""

RUN_TIMEOUT = 59.0
"""Timeout in seconds for the work of ``run``, ``resume`` and ``suspend``. Lambda's own
is 60 s at most."""

INTERVAL = 0.02
"""Seconds between two readiness checks."""

MAX_PAYLOAD_HEADER = 8_000
"""Most bytes of the payload's header: gunicorn accepts 8,190 bytes per header, nginx
8,192. A longer payload is only in the request's body."""

MAX_ID = 256
"""Most characters of a MicroVM's ID."""

ID = "x-microvm-id"
PAYLOAD = "x-microvm-payload"
SECRET = "x-microvm-hook-token"  # noqa: S105 - the name of a header
"""Headers of a hook's request. Only the adapter and the application know the token."""

BEFORE_SNAPSHOT = "/.lambda-adapter/before-snapshot"
AFTER_RESTORE = "/.lambda-adapter/after-restore"
"""Paths of ``beside_app``, which calls the hooks of ``snapshot_restore_py``."""

DONE, AGAIN, FAILED = 200, 503, 500


class Background:
    """Work that is started once; its result is reported to a later call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: threading.Event | None = None
        self._result: str | None = None

    def poll(self, work: "Work", seconds: float) -> tuple[bool, str | None]:
        """Start the work or wait for it; return whether it has ended, and its failure.

        A failure is reported once; the next call starts the work again.
        """
        with self._lock:
            if self._done is None:
                self._done = threading.Event()
                thread = threading.Thread(
                    target=self._run, args=(work, self._done), daemon=True
                )
                thread.start()
            done = self._done
        if not done.wait(seconds):
            return False, None
        with self._lock:
            if self._result is not None and self._done is done:
                self._done = None
            return True, self._result

    def _run(self, work: "Work", done: threading.Event) -> None:
        self._result = work()
        done.set()


class Hooks:
    """The six hooks for an application that is a child of this process.

    ``has_library``: its hooks of ``snapshot_restore_py`` are called as well.
    """

    def __init__(
        self, config: Config, child: Child, token: str, *, has_library: bool = False
    ) -> None:
        self._config = config
        self._has_library = has_library
        self._child = child
        self._token = token
        self._checkpoint = Background()
        self._warm_up = Background()
        self.ended = threading.Event()
        """Set once the application has ended."""
        self.answered = threading.Event()
        """Set while no call of ``terminate`` waits for its response."""
        self.answered.set()
        self.calls = {
            "ready": self.ready,
            "validate": self.validate,
            "run": self.run,
            "resume": self.resume,
            "suspend": self.suspend,
            "terminate": self.terminate,
        }

    def ready(self, _body: bytes) -> int:
        """Report whether the image's snapshot may be taken."""
        deadline = time.monotonic() + MOMENT
        if self._wait_ready(MOMENT):
            return AGAIN
        if not (self._config.before_checkpoint_path or self._has_library):
            return DONE
        left = deadline - time.monotonic()
        return self._poll("ready", self._checkpoint, self._before, left)

    def validate(self, _body: bytes) -> int:
        """Request the warm-up paths, before the image is finished."""
        if not self._config.warm_paths:
            return DONE
        return self._poll("validate", self._warm_up, self._warm, MOMENT)

    def run(self, body: bytes) -> int:
        """Prepare the application for the traffic of a new MicroVM."""
        return self._restore("run", body)

    def resume(self, body: bytes) -> int:
        """Prepare the application to continue after a suspension."""
        return self._restore("resume", body)

    def suspend(self, body: bytes) -> int:
        """Notify the application that it will be frozen."""
        path = self._config.microvm_suspend_path
        failure = path and self._post(path, RUN_TIMEOUT, body)
        return self._status("suspend", failure or None)

    def terminate(self, _body: bytes) -> int:
        """Send SIGTERM, and wait for the application's exit as long as Lambda does."""
        self.answered.clear()
        notice("terminate: sending SIGTERM to the application")
        self._child.send_signal(signal.SIGTERM)
        self.ended.wait()
        return DONE

    def _restore(self, hook: str, body: bytes) -> int:
        deadline = time.monotonic() + RUN_TIMEOUT
        path = self._config.after_restore_path
        failure = None
        if self._has_library:
            failure = self._post(AFTER_RESTORE, RUN_TIMEOUT, b"")
        if failure is None and path:
            failure = self._post(path, deadline - time.monotonic(), body)
        if failure is None:
            failure = self._wait_ready(deadline - time.monotonic())
        return self._status(hook, failure)

    def _before(self) -> str | None:
        """Call the application's hooks before a snapshot; return why one failed."""
        path = self._config.before_checkpoint_path
        failure = self._post(path, BUILD_TIMEOUT, b"") if path else None
        if failure is None and self._has_library:
            failure = self._post(BEFORE_SNAPSHOT, BUILD_TIMEOUT, b"")
        return failure

    def _warm(self) -> str | None:
        """Request each path once, in order; return why one failed, or None."""
        healthy = self._config.readiness_healthy_status
        for path in self._config.warm_paths or ():
            try:
                status = request_status(
                    self._config.app_address, "GET", path, BUILD_TIMEOUT
                )
            except RequestFailedError as error:
                return f"GET {path} (AWS_LWA_WARM_PATHS) failed: {error}"
            if status not in healthy:
                return f"GET {path} (AWS_LWA_WARM_PATHS) returned status {status}"
            if status >= 400:
                notice(
                    f"validate: GET {path} (AWS_LWA_WARM_PATHS) returned status"
                    f" {status}; is it a path of the application?",
                    "WARNING",
                )
        return None

    def _wait_ready(self, seconds: float) -> str | None:
        """Check until the application is ready; return why it is not, or None."""
        deadline = time.monotonic() + seconds
        failure: str | None = "there was no time for a readiness check"
        while (left := deadline - time.monotonic()) > 0:
            failure = check_ready(self._config, left)
            if failure is None:
                return None
            time.sleep(INTERVAL)
        return f"the application is not ready: {failure}"

    def _post(self, path: str, seconds: float, body: bytes) -> str | None:
        """POST to one of the application's hooks; return why it failed, or None."""
        address = self._config.app_address
        headers = [*payload_headers(body), (SECRET, self._token)]
        try:
            status = request_status(address, "POST", path, seconds, headers, body)
        except RequestFailedError as error:
            return f"POST {path} failed: {error}"
        if 200 <= status <= 299:
            return None
        return f"POST {path} returned status {status}"

    def _poll(
        self, hook: str, background: Background, work: "Work", seconds: float
    ) -> int:
        has_ended, failure = background.poll(work, max(seconds, 0))
        return self._status(hook, failure) if has_ended else AGAIN

    def _status(self, hook: str, failure: str | None) -> int:
        if failure is None:
            notice(f"{hook}: done")
            return DONE
        notice(f"{hook}: {failure}; Lambda is answered with status 500", "ERROR")
        return FAILED


def payload_headers(body: bytes) -> list[tuple[str, str]]:
    """Return headers with the MicroVM's ID and payload, if the body has them.

    The payload is a JSON string, so that any text is one line of ASCII. A body that is
    not the expected JSON yields no headers; the application gets it unchanged.
    """
    headers = [("content-type", "application/json")] if body else []
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        return headers
    if not isinstance(document, dict):
        return headers
    name, payload = document.get("microvmId"), document.get("runHookPayload")
    if isinstance(name, str) and _is_id(name):
        headers.append((ID, name))
    if isinstance(payload, str):
        text = json.dumps(payload)
        if len(text) <= MAX_PAYLOAD_HEADER:
            headers.append((PAYLOAD, text))
    return headers


def _is_id(name: str) -> bool:
    return 0 < len(name) <= MAX_ID and name.isascii() and name.isprintable()

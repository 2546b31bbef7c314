"""The token in the page's URL, the same after each start, so that tabs keep working."""

import contextlib
import hashlib
import hmac
import os
import secrets

LENGTH = 32
"""Bytes of the secret that tokens are derived from; only its user can read it."""


def page_token(port: int) -> str:
    """Return the token of the page at a port.

    It is random if the port is any free one, or if the secret can't be stored.
    """
    secret = _read_secret() if port else b""
    if len(secret) != LENGTH:
        return secrets.token_urlsafe(16)
    return hmac.new(secret, str(port).encode(), hashlib.sha256).hexdigest()[:32]


def _read_secret() -> bytes:
    """Return the secret, created at first; ``b""`` if it can't be stored.

    https://specifications.freedesktop.org/basedir/latest/#variables
    """
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    path = os.path.join(state, "lambda-adapter", "page-secret")
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(file, secrets.token_bytes(LENGTH))
            os.close(file)
        status = os.stat(path)
        if status.st_uid == os.getuid() and not status.st_mode & 0o077:
            with open(path, "rb") as secret:
                return secret.read(LENGTH + 1)
    return b""

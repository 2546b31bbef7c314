"""What an application raises because nobody takes its response. Core: no I/O."""

from lambda_adapter.apps.asgi.host import Cancelled


class ClientGoneError(OSError):
    """Nobody takes the response any more; an application may ignore it.

    https://asgi.readthedocs.io/en/latest/specs/www.html#disconnected-client-send-exception
    """


def is_expected(error: BaseException) -> bool:
    """Return whether this is only what giving up brings about."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_expected(each) for each in error.exceptions)
    return isinstance(error, (ClientGoneError, Cancelled))

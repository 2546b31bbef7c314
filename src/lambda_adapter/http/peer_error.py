"""What a connection can fail of. Core: no I/O."""

from lambda_adapter.errors import AdapterError


class PeerError(AdapterError):
    """The peer broke the connection off, or broke HTTP/1.1."""

    def __init__(self, message: str, *, answered: bool) -> None:
        super().__init__(message)
        self.answered = answered
        """Whether any byte of a response had arrived: if so, never ask again."""

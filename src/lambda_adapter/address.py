"""Where something listens. Core: no I/O."""

Address = tuple[str, int] | str
"""Where something listens: host and port, or the path of a Unix socket."""


def authority(address: Address) -> bytes:
    """Return the ``Host`` of a request that is not a client's, such as 127.0.0.1:8080.

    For a Unix socket it is ``localhost``.
    https://www.rfc-editor.org/rfc/rfc9110#section-7.2
    """
    if isinstance(address, str):
        return b"localhost"
    name, number = address
    return (f"[{name}]:{number}" if ":" in name else f"{name}:{number}").encode()

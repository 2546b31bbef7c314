"""Quote and truncate texts for messages."""

MAX_QUOTED = 100
"""Most characters of a client's text in a message. A header may have megabytes."""

MAX_ERROR = 65_536
"""Most characters of an error message to Lambda. Managed Instances refuse over 1 MB:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror"""


def quote(text: str) -> str:
    """Return a client's text for a message: escaped, quoted and truncated."""
    return repr(truncate_middle(text, MAX_QUOTED))


def truncate_middle(text: str, most: int) -> str:
    """Cut characters out of the middle if a text has more than ``most``.

    The end is kept too, because that is where a message says what to do.
    """
    if len(text) <= most:
        return text
    half = most // 2
    cut = f"[{len(text) - 2 * half:,} characters left out]"
    return text[:half] + cut + text[-half:]

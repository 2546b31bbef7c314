"""How much of a text a message may have."""

MAX_QUOTED = 100
"""Characters of a client's text in a message. A field's name may have megabytes."""

MAX_ERROR = 65_536
"""Characters of an error message that are reported. Managed Instances refuse more than
1 MB: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-invokeerror"""


def quote(text: str) -> str:
    """Return a client's text as a message quotes it: escaped, and not all of it."""
    return repr(truncate_middle(text, MAX_QUOTED))


def truncate_middle(text: str, most: int) -> str:
    """Return a text, only its two ends if it has more characters than ``most``.

    The end stays, too, because that is where a message says what to do.
    """
    if len(text) <= most:
        return text
    half = most // 2
    cut = f"[{len(text) - 2 * half:,} characters left out]"
    return text[:half] + cut + text[-half:]

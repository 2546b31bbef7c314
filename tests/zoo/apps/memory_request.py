"""More memory than there is, within a request."""

from _serve import html, serve, text


def respond(path):
    if path == "/report":
        return text(str(len([bytearray(b"x" * 1_000_000) for _ in range(900)])))
    return html('<a href="/report">report</a>')


serve(respond)

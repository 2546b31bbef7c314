"""Keeps something of each request."""

from _serve import serve, text

kept = []


def respond(path):
    kept.append(bytearray(b"x" * 100_000))
    return text("ok")


serve(respond)

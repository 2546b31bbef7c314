"""Keeps a file open for each request."""

from _serve import serve, text

kept = []


def respond(path):
    kept.append(open(__file__))
    return text("ok")


serve(respond)

"""Starts a process for each request, and does not wait for it."""

import subprocess

from _serve import serve, text


def respond(path):
    subprocess.Popen(["sleep", "100"])
    return text("ok")


serve(respond)

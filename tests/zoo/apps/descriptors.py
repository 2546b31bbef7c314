"""More open files than there may be, within a request."""

import os

from _serve import serve, text


def respond(path):
    fds = [os.open("/dev/null", os.O_RDONLY) for _ in range(2000)]
    for fd in fds:
        os.close(fd)
    return text("ok")


serve(respond)

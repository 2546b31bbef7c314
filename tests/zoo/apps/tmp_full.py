"""Fills /tmp."""

from _serve import serve, text


def respond(path):
    with open("/tmp/big", "ab") as file:
        file.writelines(bytes(10_000_000) for _ in range(20))
    return text("ok")


serve(respond)

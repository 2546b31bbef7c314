"""A redirect to localhost."""

from _serve import PORT, html, serve


def respond(path):
    if path == "/":
        return 302, {"Location": f"http://localhost:{PORT}/home"}, b""
    return html("home")


serve(respond)

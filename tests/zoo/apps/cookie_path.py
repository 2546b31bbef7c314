"""A cookie for a path that is another one behind the gateway."""

from _serve import serve

serve(
    lambda path: (
        200,
        {"Content-Type": "text/html", "Set-Cookie": "session=abc; Path=/myapp"},
        b"hi",
    )
)

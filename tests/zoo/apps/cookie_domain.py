"""A cookie for localhost."""

from _serve import serve

serve(
    lambda path: (
        200,
        {
            "Content-Type": "text/html",
            "Set-Cookie": "session=abc; Domain=localhost; Path=/",
        },
        b"hi",
    )
)

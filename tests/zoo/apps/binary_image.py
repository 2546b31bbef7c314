"""An image, which a REST API has to be told of."""

from _serve import html, serve

serve(
    lambda path: (
        (200, {"Content-Type": "image/png"}, b"\x89PNG\r\n\x1a\n\xff\xfe")
        if path == "/logo.png"
        else html('<img src="/logo.png">')
    )
)

"""A response of 7 MB."""

from _serve import html, serve, text

serve(
    lambda path: (
        text("x" * 7_000_000)
        if path == "/export"
        else html('<a href="/export">all</a>')
    )
)

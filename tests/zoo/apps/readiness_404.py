"""There is nothing at the root."""

from _serve import serve, text

serve(lambda path: text("ok") if path == "/api" else text("no", 404))

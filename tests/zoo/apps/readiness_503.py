"""The root is unavailable; the rest is well."""

from _serve import serve, text

serve(lambda path: text("ok") if path == "/health" else text("no", 503))

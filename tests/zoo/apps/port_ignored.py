"""A port of its own."""

from _serve import serve, text

serve(lambda path: text("ok"), port=58123)

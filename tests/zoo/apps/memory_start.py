"""More memory than there is, at start."""

from _serve import serve, text

data = [bytearray(b"x" * 1_000_000) for _ in range(900)]
serve(lambda path: text("ok"))

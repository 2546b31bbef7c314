"""Headers of 12 kB."""

from _serve import serve

serve(lambda path: (200, {"Content-Type": "text/html", "X-State": "s" * 12_000}, b"hi"))

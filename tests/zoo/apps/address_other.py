"""Listens at another address of this machine."""

from _serve import serve, text

serve(lambda path: text("ok"), host="127.0.0.2")

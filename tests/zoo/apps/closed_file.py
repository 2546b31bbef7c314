"""A file with 0600 that the application reads."""

from _serve import serve, text

serve(lambda path: text(open("secret.ini").read()))

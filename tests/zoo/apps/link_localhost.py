"""Absolute links to localhost."""

from _serve import PORT, html, serve

serve(lambda path: html(f'<img src="http://127.0.0.1:{PORT}/logo.png">'))

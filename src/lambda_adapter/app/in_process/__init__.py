"""Applications that run in the adapter's own process: ASGI and WSGI."""

"""The application: its life, its client, and the middleware that settings add."""

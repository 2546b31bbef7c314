"""Lambda: its Runtime API, its Extensions API, and the context of an invocation."""

"""WSGI applications in this process, in a thread for each invoke loop."""

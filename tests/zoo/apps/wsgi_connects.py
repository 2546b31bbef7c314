"""Connects while gunicorn imports it, to a service that does not respond."""

import socket

from wsgi import app  # noqa: F401

service = socket.create_server(("127.0.0.1", 0), backlog=0)
waiting = [socket.socket() for _ in range(3)]
for each in waiting:  # as many as the service's queue holds
    each.setblocking(False)
    each.connect_ex(service.getsockname())
socket.create_connection(service.getsockname(), timeout=300)

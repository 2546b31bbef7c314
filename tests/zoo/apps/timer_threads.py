"""A datagram to a collector every half a second, from a new thread each time."""

import socket
import threading

from _serve import serve, text

collector = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def beat():
    collector.sendto(b"up:1|c", ("127.0.0.1", 8125))
    timer = threading.Timer(0.5, beat)
    timer.daemon = True
    timer.start()


beat()
serve(lambda path: text("ok"))

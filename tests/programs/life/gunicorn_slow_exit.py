"""Settings of gunicorn by which its end takes half a second, as a tracing agent may."""

import time


def on_exit(_):
    time.sleep(0.5)

"""A page that ends the worker by a segmentation fault; another one is started."""

import ctypes


def app(environ, start_response):
    if environ["PATH_INFO"] == "/thumbnail":
        ctypes.string_at(0)
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b'<a href="/thumbnail">thumbnail</a>']

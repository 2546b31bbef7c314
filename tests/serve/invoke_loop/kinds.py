"""The kinds of events, as the parameters of a test."""

import pytest

from tests.catalogue import CLASSES, REPLY_KEYS
from tests.catalogue import KINDS as MAKE

COMMON = {"statusCode", "body", "isBase64Encoded"}

KINDS = [
    pytest.param(MAKE[name], COMMON | keys, id=name)
    for name, keys in REPLY_KEYS.items()
]

STREAMING = [
    pytest.param(MAKE[name], id=name) for name, kind in CLASSES.items() if kind.streams
]

BUFFERED = [
    pytest.param(MAKE[name], id=name)
    for name, kind in CLASSES.items()
    if not kind.streams
]

BASE64 = {"isBase64Encoded": True, "is_base64_encoded": True}
"""The key of all kinds, and that of version 1 of VPC Lattice."""

BAD_EVENTS = {
    "no base64": {"body": "%%%", **BASE64},
    "half base64": {"body": "YWJ", **BASE64},
    "a line break in a field": {"headers": {"host": "a", "x": "a\r\nb: c"}},
    "a line feed in a field": {"headers": {"host": "a", "x": "a\nb"}},
    "a NUL in a field": {"headers": {"host": "a", "x": "a\0"}},
    "a name that is none": {"headers": {"host": "a", "x y": "a"}},
    "a line break in a name": {"headers": {"host": "a", "x: y\r\nz": "a"}},
    "an odd host": {"headers": {"host": "a/b"}},
    "two hosts": {"headers": {"host": "a", "Host": "b"}},
    "a method that is none": {"method": "GET / HTTP/1.1\r\n\r\n"},
    "a method to connect": {"method": "CONNECT"},
}

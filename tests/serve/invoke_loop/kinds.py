"""The kinds of events, as the parameters of a test."""

import pytest

from tests.catalogue import (
    alb,
    alb_multi_value,
    function_url,
    http_api,
    http_api_v1,
    rest_api,
    vpc_lattice,
)

SINGLE = {"statusCode", "headers", "body", "isBase64Encoded"}

MULTI = {"statusCode", "multiValueHeaders", "body", "isBase64Encoded"}

KINDS = [
    pytest.param(alb, SINGLE | {"statusDescription"}, id="ALB"),
    pytest.param(alb_multi_value, MULTI | {"statusDescription"}, id="ALB, all values"),
    pytest.param(rest_api, MULTI, id="REST API"),
    pytest.param(http_api, SINGLE | {"cookies"}, id="HTTP API"),
    pytest.param(vpc_lattice, SINGLE, id="VPC Lattice"),
]

STREAMING = [
    pytest.param(function_url, id="function URL"),
    pytest.param(rest_api, id="REST API"),
]

BUFFERED = [
    pytest.param(alb, id="ALB"),
    pytest.param(alb_multi_value, id="ALB, all values"),
    pytest.param(http_api, id="HTTP API"),
    pytest.param(http_api_v1, id="HTTP API, format 1.0"),
    pytest.param(vpc_lattice, id="VPC Lattice"),
]

BAD_EVENTS = {
    "no base64": {"body": "%%%", "isBase64Encoded": True},
    "half base64": {"body": "YWJ", "isBase64Encoded": True},
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

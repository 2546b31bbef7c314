"""A pytest plugin: httpbin is the one at $HTTPBIN, and not one of the test's own."""

import os

import pytest
from pytest_httpbin.plugin import httpbin_ca_bundle, httpbin_secure

__all__ = ["httpbin", "httpbin_ca_bundle", "httpbin_secure"]


class Server:
    """Where httpbin is."""

    def __init__(self, url: str) -> None:
        self.url = url


@pytest.fixture(scope="session")
def httpbin() -> Server:
    """Return httpbin, as pytest-httpbin would."""
    return Server(os.environ["HTTPBIN"])

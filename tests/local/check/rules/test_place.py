"""Where an application listens."""

from lambda_adapter.local.check.finding import Status
from lambda_adapter.local.check.rules.crash import judge_silence
from lambda_adapter.local.check.rules.place import judge_host, judge_unix_socket


def test_a_unix_socket():
    """The finding about a Unix socket names the setting for it."""
    found = judge_unix_socket("/tmp/app.sock")

    assert (found.kind, found.status) == ("address", Status.FAILURE)
    assert "AWS_LWA_UNIX_SOCKET=/tmp/app.sock" in found.cure


def test_a_refused_host():
    """A Host that is refused is named, with what localhost gets instead."""
    found = judge_host("/", "a1b2.execute-api.example", 400, 200)

    assert (found.kind, found.status) == ("host", Status.FAILURE)
    assert found.title.startswith("GET / gets status 400 with the Host of a gateway")
    assert "no response" in judge_host("/", "a1b2.example", 0, 200).title


def test_silence():
    """A port that is open before anything responds is not taken for a response."""
    assert judge_silence(15).title == "does not listen within 15 s"
    assert judge_silence(15, listens=True).title == "does not respond within 15 s"

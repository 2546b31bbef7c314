"""``forked``: a child that an application forks, and that comes back to the adapter."""

import signal
import sys
import textwrap
from typing import Any

import pytest

from tests.adapter import open_adapter
from tests.app.calls import http_event

LOOPS = ["asyncio", "trio"] + ["trio-asyncio"] * (sys.version_info < (3, 14))

FORK = """
import os, select, signal, sys

class Failure(Exception):
    pass

def fork(come_back):
    end, childs_end = os.pipe()
    child = os.fork()
    if not child:
        come_back()
        return "of the child"
    os.close(childs_end)
    if not select.select([end], [], [], 20)[0]:  # readable once the child is gone
        os.kill(child, signal.SIGKILL)
    os.close(end)
    return str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

WAYS = {
    "exits": ("def come_back():\n    sys.exit(7)\n", "7"),
    "exits with a text": ("def come_back():\n    sys.exit('no')\n", "1"),
    "raises": ("def come_back():\n    raise Failure('in the child')\n", "1"),
    "raises without stderr": (
        "def come_back():\n    sys.stderr.close()\n    raise Failure\n",
        "1",
    ),
    "returns": ("def come_back():\n    pass\n", "0"),
}
"""How a child leaves the application's code, and its exit status."""

WSGI = """
def app(environ, start_response):
    said = fork(come_back)
    start_response("200 OK", [])
    return [said.encode()]
"""

LATE_WSGI = """
def app(environ, start_response):
    start_response("200 OK", [])
    yield fork(come_back).encode()
"""

ASGI = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    said = fork(come_back)
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": said.encode()})
"""

INLINE = {"AWS_LWA_WSGI_INLINE": "true"}

APPLICATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "wsgi": (WSGI, "--wsgi", {}),
    "wsgi, inline": (WSGI, "--wsgi", INLINE),
    "wsgi, in its body": (LATE_WSGI, "--wsgi", {}),
    "wsgi, in its body, inline": (LATE_WSGI, "--wsgi", INLINE),
    **{loop: (ASGI, "--asgi", {"AWS_LWA_ASGI_LOOP": loop}) for loop in LOOPS},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("which", APPLICATIONS)
async def test_child_ends(runtime, tmp_path, which, way):
    """A forked child that leaves the view ends; only its parent responds."""
    application, option, environ = APPLICATIONS[which]
    come_back, status = WAYS[way]
    source = FORK + come_back + textwrap.dedent(application)
    (tmp_path / "app.py").write_text(source)
    command = [option, "app:app", "--app-dir", str(tmp_path)]
    async with open_adapter(runtime.address, command, **environ) as adapter:
        replies = [await runtime.invoke(http_event()) for _ in range(2)]
        adapter.process.send_signal(signal.SIGTERM)
        await adapter.wait()

    assert [reply.json()["body"] for reply in replies] == [status] * 2
    assert adapter.log.count("ended, so that its parent alone") == (status == "0") * 2
    assert "AppFailedError" not in adapter.log

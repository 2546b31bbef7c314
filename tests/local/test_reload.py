"""``--reload``: a change of a file starts the function anew."""

import signal
import sys
import time
from pathlib import Path

import pytest

from tests.local.client import ask
from tests.local.terminal import app_port, open_terminal

APP = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"first")
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.mark.e2e
def test_reload(tmp_path: Path):
    """After a change the new code responds; one that fails to start waits for the next.

    Its watching thread ends at once, and not after the 5 s that it waits by itself.
    """
    file = tmp_path / "app.py"
    file.write_text(APP)
    options = ("--reload", "--port", "0", "--app-port", app_port())
    command = [*options, "--", sys.executable, "app.py"]
    with open_terminal(*command, cwd=tmp_path) as terminal:
        terminal.wait("^ready")
        assert ask(terminal.port).body == b"first"

        file.write_text(APP.replace("first", "second"))
        terminal.wait("app.py changed: starting anew")
        assert ask(terminal.port).body == b"second"

        file.write_text("an error")
        terminal.wait("^error ")
        file.write_text(APP.replace("first", "third"))
        terminal.wait("init .* ms")
        while ask(terminal.port).body != b"third":
            pass

        began = time.monotonic()
        assert terminal.end(signal.SIGINT) == 0
        assert time.monotonic() - began < 3

"""Servers of other languages behind the hooks of a MicroVM."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator import PROJECT
from tests.microvm.lambda_side import open_microvm

NODE = """
require('http').createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(204).end());
}).listen(process.env.PORT, '127.0.0.1');
process.on('SIGTERM', () => process.exit(4));
"""
NGINX = """
daemon off; worker_processes 1; error_log stderr; pid %(place)s/pid;
events {}
http {
  access_log off;
  client_body_temp_path %(place)s; proxy_temp_path %(place)s;
  fastcgi_temp_path %(place)s; uwsgi_temp_path %(place)s; scgi_temp_path %(place)s;
  server { listen unix:%(place)s/app.sock; location / { return 200; } }
}
"""
GO = """
package main

import ("net/http"; "os"; "os/signal"; "syscall")

func main() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	go func() { <-ended; os.Exit(5) }()
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }))
}
"""
GUNICORN = [
    *(sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "2"),
    *("--pythonpath", str(PROJECT / "tests" / "programs"), "microvm_app:wsgi"),
]


def command_of(name: str, place: Path) -> tuple[list[str], dict[str, str], int]:
    """Return a server's command, its settings and its status after SIGTERM."""
    if name == "gunicorn":
        return GUNICORN, {}, 0
    if shutil.which(name) is None:
        pytest.skip(f"no {name}")
    if name == "node":
        (place / "app.js").write_text(NODE)
        return ["node", str(place / "app.js")], {}, 4
    if name == "go":
        (place / "main.go").write_text(GO)
        environ = {
            **os.environ,
            "GO111MODULE": "off",
            "GOFLAGS": "",
            "CGO_ENABLED": "0",
        }
        build = ["go", "build", "-o", "app", "main.go"]
        subprocess.run(build, cwd=place, env=environ, check=True)
        return [str(place / "app")], {}, 5
    (place / "nginx.conf").write_text(NGINX % {"place": place})
    command = ["nginx", "-e", "stderr", "-c", str(place / "nginx.conf")]
    return command, {"AWS_LWA_UNIX_SOCKET": str(place / "app.sock")}, 0


@pytest.mark.parametrize(
    "name", ["gunicorn", "node", "nginx", pytest.param("go", marks=pytest.mark.e2e)]
)
def test_servers(name, tmp_path):
    """Every hook works with any server behind it, and its end is the adapter's."""
    command, settings, status = command_of(name, tmp_path)
    paths = {
        "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH": "/before",
        "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/after",
        "AWS_LWA_MICROVM_SUSPEND_PATH": "/asleep",
        "AWS_LWA_WARM_PATHS": "/,/login",
    }
    payload = json.dumps({"microvmId": "m", "runHookPayload": "x" * 4_096}).encode()
    with open_microvm(command, **settings, **paths) as microvm:
        assert microvm.build() == [200, 200]
        statuses = [microvm.hook("run", payload)]
        statuses += [microvm.hook(hook) for hook in ("suspend", "resume", "terminate")]

        assert statuses == [200, 200, 200, 200]
        assert microvm.wait() == status

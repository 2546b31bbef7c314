"""The files of a release, as they are published: `make release-check`.

These tests take dist/release as it is, and install nothing of the source tree.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import trio

from lambda_adapter import __version__
from tests.adapter import open_adapter
from tests.catalogue import http_api
from tests.emulator import PROJECT
from tests.fake_runtime_api import FakeRuntimeApi

pytestmark = [pytest.mark.release, pytest.mark.timeout(300)]

RELEASE = PROJECT / "dist/release"
WHEEL = RELEASE / f"lambda_adapter-{__version__}-py3-none-any.whl"
SDIST = RELEASE / f"lambda_adapter-{__version__}.tar.gz"
BOOTSTRAP = RELEASE / "bootstrap"
LAYER = RELEASE / "layer.zip"
SBOM = RELEASE / "sbom.cdx.json"
SUMS = RELEASE / "SHA256SUMS"
NOTES = RELEASE / "NOTES.md"
UV = (sys.executable, "-m", "uv", "--quiet", "--offline")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in an environment of its own, with what uv.lock pins beside it."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    sync = ("sync", "--frozen", "--no-dev", "--no-install-project")
    install = ("pip", "install", "--no-deps", "--python", str(venv), str(WHEEL))
    for command in ([*UV, *sync, "--python", sys.executable], [*UV, *install]):
        environ = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(venv)}
        subprocess.run(command, cwd=PROJECT, env=environ, check=True)
    return venv / "bin/lambda-adapter"


def test_files():
    """A release is the wheel, sdist, zipapp and layer, and what is said of them."""
    expected = {WHEEL, SDIST, BOOTSTRAP, LAYER, SBOM, SUMS, NOTES}

    assert set(RELEASE.iterdir()) == expected


def test_checksums():
    """SHA256SUMS has the digest of every file that is downloaded."""
    lines = [line.split() for line in SUMS.read_text().splitlines()]

    files = {WHEEL, SDIST, BOOTSTRAP, LAYER, SBOM}
    digests = [
        [hashlib.sha256(each.read_bytes()).hexdigest(), each.name] for each in files
    ]
    assert sorted(lines) == sorted(digests)


def test_sdist_gives_the_wheel(tmp_path: Path):
    """The wheel that is built from the sdist is the wheel, byte for byte."""
    build = ("build", "--wheel", "--no-build-isolation", "--out-dir", tmp_path)

    subprocess.run([*UV, *build, SDIST], check=True)

    assert (tmp_path / WHEEL.name).read_bytes() == WHEEL.read_bytes()


async def test_wheel_serves(tmp_path: Path, installed: Path, runtime: FakeRuntimeApi):
    """The wheel, installed alone, has its version and serves an event."""
    await check_serves(runtime, installed, tmp_path)


async def test_zipapp_serves(tmp_path: Path, runtime: FakeRuntimeApi):
    """The zipapp has its version and serves an event."""
    BOOTSTRAP.chmod(0o755)  # which a download does not keep

    await check_serves(runtime, BOOTSTRAP, tmp_path)


async def check_serves(runtime: FakeRuntimeApi, adapter: Path, root: Path) -> None:
    """Ask an adapter for its version, and send an event through it."""
    said = await trio.run_process(
        [adapter, "--version"],
        env={"PATH": os.environ["PATH"], "SHIV_ROOT": str(root), "TMPDIR": str(root)},
        capture_stdout=True,
    )
    assert said.stdout.decode() == f"lambda-adapter {__version__}\n"
    command = [str(adapter)]
    async with open_adapter(
        runtime.address, adapter=command, SHIV_ROOT=str(root), TMPDIR=str(root)
    ):
        reply = await runtime.invoke(json.dumps(http_api("GET", "/")).encode())

    assert json.loads(reply.body)["statusCode"] == 200


def test_layer():
    """The layer has the zipapp as /opt/bootstrap, and what it unpacks to."""
    with zipfile.ZipFile(LAYER) as layer:
        entry = layer.getinfo("bootstrap")
        names = layer.namelist()

        assert layer.read(entry) == BOOTSTRAP.read_bytes()
    assert entry.external_attr >> 16 == 0o100755
    unpacked = r"shiv/bootstrap_\w+/site-packages/lambda_adapter/cli\.py"
    assert [name for name in names if re.fullmatch(unpacked, name)]


def test_sbom():
    """The SBOM names each package in the zipapp, with its version, and no other."""
    with zipfile.ZipFile(BOOTSTRAP) as zipapp:
        metadata = [
            zipapp.read(name).decode().replace("\r", "")
            for name in zipapp.namelist()
            if name.endswith(".dist-info/METADATA")
        ]
    packed = {(_field("Name", each), _field("Version", each)) for each in metadata}

    sbom = json.loads(SBOM.read_bytes())

    root = sbom["metadata"]["component"]
    named = {(each["name"], each["version"]) for each in [root, *sbom["components"]]}
    refs = {each["bom-ref"] for each in [root, *sbom["components"]]}
    assert sbom["bomFormat"] == "CycloneDX"
    assert named == packed
    assert {each["ref"] for each in sbom["dependencies"]} == refs
    for each in sbom["dependencies"]:
        assert set(each["dependsOn"]) <= refs - {each["ref"]}
    assert all(each["purl"].startswith("pkg:pypi/") for each in sbom["components"])


def _field(name: str, metadata: str) -> str:
    found = re.search(rf"^{name}: (.+)$", metadata, re.MULTILINE)
    assert found
    return found[1].replace("_", "-").lower()


def test_notes():
    """The notes of a release are the changelog's, without its heading."""
    notes = NOTES.read_text("utf-8").strip()

    assert notes.startswith("### ")
    assert "\n## " not in notes
    assert notes in (PROJECT / "CHANGELOG.md").read_text("utf-8")

"""The files of a release, as they are published: `make release-check`.

These tests take dist/release as it is, and install nothing of the source tree.
"""

import filecmp
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import trio
from elftools.elf.elffile import ELFFile

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
NATIVES = [RELEASE / f"lambda-adapter-{each}" for each in ("x86_64", "aarch64")]
NATIVE = RELEASE / f"lambda-adapter-{platform.machine()}"
NATIVE_SBOMS = [each.with_name(f"{each.name}.cdx.json") for each in NATIVES]
LICENSES = [each.with_name(f"{each.name}.licenses.txt") for each in NATIVES]
STANDALONE = [
    RELEASE / f"layer-standalone-{each.name.rpartition('-')[2]}.zip" for each in NATIVES
]
FILES = {
    *(WHEEL, SDIST, BOOTSTRAP, LAYER, SBOM),
    *(*NATIVES, *NATIVE_SBOMS, *LICENSES, *STANDALONE),
}
"""What is downloaded."""
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
    """A release is each way to have the adapter, and what is said of them."""
    assert set(RELEASE.iterdir()) == {*FILES, SUMS, NOTES}


def test_checksums():
    """SHA256SUMS has the digest of every file that is downloaded."""
    lines = [line.split() for line in SUMS.read_text().splitlines()]

    digests = [
        [hashlib.sha256(each.read_bytes()).hexdigest(), each.name] for each in FILES
    ]
    assert sorted(lines) == sorted(digests)


def test_sdist_gives_the_wheel(tmp_path: Path):
    """The wheel that is built from the sdist is the wheel, byte for byte."""
    build = ("build", "--wheel", "--no-build-isolation", "--out-dir", tmp_path)

    subprocess.run([*UV, *build, SDIST], check=True)

    assert filecmp.cmp(tmp_path / WHEEL.name, WHEEL, shallow=False)


async def test_wheel_serves(tmp_path: Path, installed: Path, runtime: FakeRuntimeApi):
    """The wheel, installed alone, has its version and serves an event."""
    await check_serves(runtime, installed, tmp_path)


async def test_zipapp_serves(tmp_path: Path, runtime: FakeRuntimeApi):
    """The zipapp has its version and serves an event."""
    BOOTSTRAP.chmod(0o755)  # which a download does not keep

    await check_serves(runtime, BOOTSTRAP, tmp_path)


async def test_native_file_serves(tmp_path: Path, runtime: FakeRuntimeApi):
    """The native file has its version, becomes an application and serves an event."""
    NATIVE.chmod(0o755)

    became = await trio.run_process(
        [NATIVE, "/bin/echo", "an application"], env={}, capture_stdout=True
    )

    assert became.stdout == b"an application\n"
    await check_serves(runtime, NATIVE, tmp_path, about=" (CPython 3.11.")


def test_native_files():
    """Each native file is for its architecture, and each layer has it as bootstrap."""
    machines = ["EM_X86_64", "EM_AARCH64"]
    for native, machine, layer in zip(NATIVES, machines, STANDALONE, strict=True):
        with native.open("rb") as file:
            assert ELFFile(file).header["e_machine"] == machine
        with zipfile.ZipFile(layer) as archive:
            assert archive.read("bootstrap") == native.read_bytes()
            assert archive.getinfo("bootstrap").external_attr >> 16 == 0o100755
            for name, said in (
                ("licenses/lambda-adapter.cdx.json", f"{native.name}.cdx.json"),
                ("licenses/lambda-adapter.txt", f"{native.name}.licenses.txt"),
            ):
                assert archive.read(name) == (RELEASE / said).read_bytes()


def test_native_sboms():
    """The SBOM of a native file names its libraries, and each has its licence."""
    for sbom_file, texts_file in zip(NATIVE_SBOMS, LICENSES, strict=True):
        sbom = json.loads(sbom_file.read_text())
        texts = texts_file.read_text("utf-8")
        names = {each["name"] for each in sbom["components"]}
        assert {"cpython", "glibc", "zlib", "gcc", "msgspec", "trio"} <= names
        for each in sbom["components"]:
            assert f"\n{each['name']} {each['version']}" in texts


async def check_serves(
    runtime: FakeRuntimeApi, adapter: Path, root: Path, about: str = "\n"
) -> None:
    """Ask an adapter for its version, and send an event through it."""
    said = await trio.run_process(
        [adapter, "--version"],
        env={"PATH": os.environ["PATH"], "SHIV_ROOT": str(root), "TMPDIR": str(root)},
        capture_stdout=True,
    )
    assert said.stdout.decode().startswith(f"lambda-adapter {__version__}{about}")
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
    code = r".*/lambda_adapter/cpython-3\d+\.code"
    assert [name for name in names if re.fullmatch(code, name)]


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

    assert "\n## " not in f"\n{notes}"
    assert notes in (PROJECT / "CHANGELOG.md").read_text("utf-8")

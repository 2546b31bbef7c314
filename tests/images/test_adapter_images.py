"""What `make build` builds: its contents, and the images that can copy from it."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.images import events
from tests.images.container import run, run_on_lambda
from tests.images.engine import PROJECT, install
from tests.images.measured import SIZES, STARTS, note
from tests.images.test_examples import cold_start

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.images.engine import Engine

pytestmark = pytest.mark.images

CASES = Path(__file__).parent / "cases"
IMAGE = "aws-lambda-adapter"
QEMU = {"qemu-aarch64-static": "qemu-user-static"}


def contents(engine: Engine, image: str) -> tarfile.TarFile:
    """Return an image's files."""
    name = engine("create", "--platform", platform(image), image, "/none").split()[-1]
    command = [*engine.command, "export", name]
    data = subprocess.run(command, env=engine.environ, check=True, stdout=-1).stdout
    engine("rm", name)
    return tarfile.open(fileobj=io.BytesIO(data))


def platform(image: str) -> str:
    return "linux/arm64" if "aarch64" in image else "linux/amd64"


@pytest.mark.parametrize("suffix", ["", "-standalone"])
@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_only_the_adapter(engine: Engine, architecture: str, suffix: str):
    """An image has the adapter, and code for its architecture only."""
    image = f"{IMAGE}:latest-{architecture}{suffix}"

    with contents(engine, image) as archive:
        names = [name for name in archive.getnames() if name.startswith("opt/")]
        licenses = sorted(
            name for name in archive.getnames() if name.startswith("licenses/")
        )
        size = sum(member.size for member in archive.getmembers())
        assert archive.getmember("opt/bootstrap").mode & 0o777 == 0o755
        assert archive.getmember("lambda-adapter").linkname == "opt/bootstrap"
        assert not any("extensions" in name for name in names)
        data = io.BytesIO()
        with gzip.GzipFile(fileobj=data, mode="wb", compresslevel=6) as compressed:
            for member in archive:
                if member.isreg() and (file := archive.extractfile(member)):
                    compressed.write(file.read())

    extensions = [name for name in names if name.endswith("-linux-gnu.so")]
    assert bool(extensions) == (suffix == "")
    assert suffix == "" or names == ["opt/bootstrap"]
    assert suffix == "" or licenses == [
        "licenses/lambda-adapter.cdx.json",
        "licenses/lambda-adapter.txt",
    ]
    assert all(f"-{architecture}-" in name for name in extensions)
    note(SIZES, image, f"{size / 1e6:.1f}", f"{data.tell() / 1e6:.1f}")


def test_same_by_two_names(engine: Engine):
    """`latest` is the image for x86-64."""
    for suffix in "", "-standalone":
        ids = {
            engine("image", "inspect", "--format", "{{.Id}}", f"{IMAGE}:{tag}{suffix}")
            for tag in ("latest", "latest-x86_64")
        }
        assert len(ids) == 1


@pytest.mark.parametrize("case", ["scratch", "old-glibc"])
def test_any_base(engine: Engine, case: str):
    """The native file works without a libc, and with an old one."""
    engine.build(CASES / case, case)

    with run_on_lambda(engine, case) as container:
        reply = container.invoke(events.get("/"))
        assert events.body_of(reply) == b"Hello from busybox!\n"
    note(STARTS, f"busybox, {case}", *cold_start(engine, case, "/"))
    with run(engine, case) as container:
        assert container.request("GET", "/") == (200, b"Hello from busybox!\n")


def test_other_python(engine: Engine):
    """With another Python, RUN /opt/bootstrap --version compiles for that one."""
    engine.build(CASES / "other-python", "other-python")

    with contents(engine, "other-python") as archive:
        names = [name for name in archive.getnames() if "opt/shiv/" in name]
    sources = {name for name in names if name.endswith(".py")}
    compiled = {name for name in names if name.endswith(".cpython-311.pyc")}
    assert len(sources) == len(compiled)
    with run_on_lambda(engine, "other-python") as container:
        reply = container.invoke(events.get("/"))
        assert events.body_of(reply) == b"Hello from Python!\n"


def test_packed(engine: Engine, examples: Mapping[str, str]):
    """/opt/bootstrap alone unpacks itself under /tmp, and says how to avoid that."""
    assert examples["flask"]
    engine.build(CASES / "packed", "packed")

    with run_on_lambda(engine, "packed") as container:
        reply = container.invoke(events.get("/"))
        assert events.body_of(reply) == b"Hello from Flask!\n"
        assert container.log().count("RUN /opt/bootstrap --version") == 1
    note(STARTS, "flask, not unpacked", *cold_start(engine, "packed", "/"))


def test_layer(engine: Engine, tmp_path: Path):
    """The layer is the wrapper of a managed runtime, and run.sh its handler."""
    subprocess.run(["make", "layer"], cwd=PROJECT, check=True)
    with zipfile.ZipFile(PROJECT / "dist/layer.zip") as archive:
        archive.extractall(tmp_path / "opt")
    (tmp_path / "opt/bootstrap").chmod(0o755)
    shutil.copytree(PROJECT / "examples/flask-zip", tmp_path / "task")
    for name in "app.py", "requirements.txt":
        shutil.copy(PROJECT / "examples/flask" / name, tmp_path / "task")
    shutil.copy(CASES / "layer/Dockerfile", tmp_path)
    engine.build(tmp_path, "layer")

    with run_on_lambda(engine, "layer") as container:
        sent = events.http_api()
        events.check_echo(sent, container.invoke(sent.event))
    note(STARTS, "flask-zip", *cold_start(engine, "layer", "/"))


def test_in_process(engine: Engine, examples: Mapping[str, str]):
    """The zipapp calls an application in its process, and is a server off Lambda."""
    assert examples["fastapi"]
    engine.build(CASES / "in-process", "in-process")

    with run_on_lambda(engine, "in-process") as container:
        for make in events.SENT.values():
            sent = make()
            events.check_echo(sent, container.invoke(sent.event))
    note(STARTS, "fastapi, in process", *cold_start(engine, "in-process", "/"))
    with run(engine, "in-process") as container:
        assert container.request("GET", "/")[0] == 200
        assert "uvicorn" in " ".join(container.command())


def test_pip(engine: Engine, tmp_path: Path):
    """The adapter is a package beside the application's, of versions that agree."""
    shutil.copy(CASES / "pip/Dockerfile", tmp_path)
    for name in "app.py", "requirements.txt":
        shutil.copy(PROJECT / "examples/fastapi" / name, tmp_path)
    for name in "src", "packaging":
        shutil.copytree(PROJECT / name, tmp_path / "adapter" / name)
    for name in "pyproject.toml", "README.md", "LICENSE":
        shutil.copy(PROJECT / name, tmp_path / "adapter")
    engine.build(tmp_path, "pip")

    with run_on_lambda(engine, "pip") as container:
        sent = events.http_api()
        events.check_echo(sent, container.invoke(sent.event))
    note(STARTS, "fastapi, in process, by pip", *cold_start(engine, "pip", "/"))


def test_layer_in_process(engine: Engine, tmp_path: Path):
    """A managed runtime's application is called by the layer, without a handler."""
    subprocess.run(["make", "layer"], cwd=PROJECT, check=True)
    with zipfile.ZipFile(PROJECT / "dist/layer.zip") as archive:
        archive.extractall(tmp_path / "opt")
    (tmp_path / "opt/bootstrap").chmod(0o755)
    for name in "app.py", "requirements.txt":
        (tmp_path / "task").mkdir(exist_ok=True)
        shutil.copy(PROJECT / "examples/flask" / name, tmp_path / "task")
    shutil.copy(CASES / "layer/Dockerfile", tmp_path)
    engine.build(tmp_path, "layer-in-process")

    flags = ("--env", "AWS_LWA_WSGI_APP=app:app")
    with run_on_lambda(engine, "layer-in-process", *flags) as container:
        sent = events.http_api()
        events.check_echo(sent, container.invoke(sent.event))


@pytest.fixture(scope="session")
def standalone_layers() -> Path:
    """The layers that hold a native file, by ``make layer``."""
    subprocess.run(["make", "layer"], cwd=PROJECT, check=True)
    return PROJECT / "dist"


def unpack_layer(path: Path, target: Path) -> int:
    """Unpack a layer as Lambda does, and return how many bytes it has unpacked."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            archive.extract(entry, target)
            (target / entry.filename).chmod(entry.external_attr >> 16 & 0o777)
        return sum(entry.file_size for entry in archive.infolist())


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_standalone_layer(
    engine: Engine, standalone_layers: Path, tmp_path: Path, architecture: str
):
    """A layer has what the image has, and fits beside any function."""
    path = standalone_layers / f"layer-standalone-{architecture}.zip"

    size = unpack_layer(path, tmp_path)

    with contents(engine, f"{IMAGE}:latest-{architecture}-standalone") as archive:
        files = {
            member.name.removeprefix("opt/")
            for member in archive
            if member.name.startswith(("opt/", "licenses/")) and not member.isdir()
        }
    unpacked = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert {str(each.relative_to(tmp_path)) for each in unpacked} == files
    assert (tmp_path / "bootstrap").stat().st_mode & 0o111 == 0o111
    assert size < 50_000_000  # of 250 MB
    zipped = path.stat().st_size
    note(SIZES, path.name, f"{size / 1e6:.1f}", f"{zipped / 1e6:.1f}")


@pytest.mark.parametrize(
    ("case", "example", "files"),
    [
        ("node-layer", "express-zip", ["app.js", "package.json", "package-lock.json"]),
        ("java-layer", "springboot-zip", []),
    ],
)
def test_runtime_without_python(
    engine: Engine,
    examples: Mapping[str, str],
    standalone_layers: Path,
    tmp_path: Path,
    case: str,
    example: str,
    files: list[str],
):
    """The standalone layer is the wrapper of a managed runtime without a Python."""
    assert examples["springboot"]
    layer = standalone_layers / "layer-standalone-x86_64.zip"
    unpack_layer(layer, tmp_path / "opt")
    shutil.copytree(PROJECT / "examples" / example, tmp_path / "task")
    for name in files:
        shutil.copy(PROJECT / "examples/expressjs" / name, tmp_path / "task")
    shutil.copy(CASES / case / "Dockerfile", tmp_path)
    engine.build(tmp_path, case)

    with run_on_lambda(engine, case) as container:
        sent = events.http_api()
        events.check_echo(sent, container.invoke(sent.event))
    note(STARTS, example, *cold_start(engine, case, "/"))


def test_os_only_runtime(engine: Engine, standalone_layers: Path, tmp_path: Path):
    """The layer's bootstrap is an OS-only runtime, and the handler what it starts."""
    unpack_layer(standalone_layers / "layer-standalone-x86_64.zip", tmp_path / "opt")
    shutil.copytree(CASES / "os-only", tmp_path, dirs_exist_ok=True)
    engine.build(tmp_path, "os-only")

    with run_on_lambda(engine, "os-only") as container:
        reply = container.invoke(events.get("/"))
        assert events.body_of(reply) == b"Hello from busybox!\n"


def test_seed(engine: Engine, tmp_path: Path):
    """The first Dockerfile ever published for this works with other names in it."""
    shutil.copytree(PROJECT / "examples/expressjs", tmp_path / "src")
    (tmp_path / "src/app.js").rename(tmp_path / "src/index.js")
    (tmp_path / "extensions").mkdir()
    shutil.copy(CASES / "seed/Dockerfile", tmp_path)
    engine.build(tmp_path, "seed")

    with run_on_lambda(engine, "seed") as container:
        reply = container.invoke(events.get("/"))
        assert events.body_of(reply) == b"Hello from Express!\n"
    note(STARTS, "seed's Dockerfile", *cold_start(engine, "seed", "/"))
    with run(engine, "seed") as container:
        assert container.command() == ["node", "index.js"]


def test_attached(engine: Engine, examples: Mapping[str, str]):
    """A Dockerfile made for the Lambda Web Adapter works with our image in it."""
    assert examples["expressjs"]
    engine.build(CASES / "attached", "attached")

    with run_on_lambda(engine, "attached") as container:
        sent = events.http_api()
        events.check_echo(sent, container.invoke(sent.event))
    note(STARTS, "expressjs, attached", *cold_start(engine, "attached", "/"))


def test_arm64(engine: Engine, tmp_path: Path):
    """The adapter of both images for arm64 prints its version under qemu."""
    install(QEMU)
    standalone, plain = tmp_path / "standalone", tmp_path / "plain"
    for root, suffix in (standalone, "-standalone"), (plain, ""):
        with contents(engine, f"{IMAGE}:latest-aarch64{suffix}") as archive:
            archive.extractall(root, filter="tar")

    said = subprocess.run(
        [*QEMU, standalone / "opt/bootstrap", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.startswith("lambda-adapter ")
    assert "aarch64" in said.stdout
    assert list(plain.glob("opt/shiv/*/site-packages/msgspec/_core*-aarch64-*"))

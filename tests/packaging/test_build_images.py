"""What the adapter's images are made of, which their attestations vouch for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_adapter import __version__
from tests.emulator import PROJECT

DOCKERFILE = (PROJECT / "Dockerfile").read_text("utf-8")
DIGEST = f"sha256:{'0123456789abcdef' * 4}"


def build(tmp_path: Path, base: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """Build the images with an engine that only writes down how it was called."""
    calls = tmp_path / "calls"
    calls.touch()
    engine = tmp_path / "engine"
    engine.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n')
    engine.chmod(0o755)
    done = subprocess.run(
        [sys.executable, PROJECT / "packaging/build_images.py", engine],
        env={"PATH": os.environ["PATH"], "ADAPTER_BASE": base},
        capture_output=True,
        text=True,
    )
    return done, calls.read_text()


def test_an_engine_is_looked_for_before_anything_is_built():
    """`make build` compiles nothing for a minute before it says that it can't go on."""
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "build"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )

    commands = done.stdout
    assert commands.index("find_engine") < commands.index("build_native.py")
    assert commands.index("find_engine") < commands.index("build_zipapp.py")


def test_every_stage_has_the_same_base():
    """A stage begins from the base, from another stage or from nothing."""
    stages = re.findall(r"^FROM (?:--\S+ )?(\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)

    assert len(stages) == DOCKERFILE.count("\nFROM ")
    names = {name for _, name in stages}
    assert {source for source, _ in stages} - names == {"${BASE}", "scratch"}


def test_no_stage_installs_anything():
    """Nothing is fetched when an image is built: neither by pip nor by apt."""
    assert re.findall(r"\b(?:pip|apt-get|apt|curl|wget)\b", DOCKERFILE) == []


def test_build_context():
    """What the Dockerfile copies is what .dockerignore lets through, and no more."""
    copies = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    ignore = (PROJECT / ".dockerignore").read_text("utf-8").splitlines()

    copied = {f"!{source}" for copy in copies for source in copy.split()}
    assert {*ignore[1:]} == {"*", *copied}


def test_base_by_its_digest(tmp_path: Path):
    """Each image is built from the base that a digest names, and its labels say so."""
    done, calls = build(tmp_path, f"docker.io/library/python:3.13-slim@{DIGEST}")

    assert done.returncode == 0
    assert calls.count("\n") == 4
    label = "--label org.opencontainers.image.base"
    for call in calls.splitlines():
        assert f"--build-arg BASE=docker.io/library/python:3.13-slim@{DIGEST} " in call
        assert f"{label}.name=docker.io/library/python:3.13-slim " in call
        assert f"{label}.digest={DIGEST} " in call


@pytest.mark.parametrize(
    "base",
    [
        "python:3.13-slim",
        "python:3.13-slim@",
        f"@{DIGEST}",
        f"python@{DIGEST[:-1]}",
        f"python@{DIGEST}0",
        f"python@{DIGEST.upper()}",
        f"python --privileged@{DIGEST}",
        f"python@{DIGEST}\n",
        f"python@python@{DIGEST}",
    ],
)
def test_base_without_its_digest(tmp_path: Path, base: str):
    """A base that is not named by a digest is refused before anything is built."""
    done, calls = build(tmp_path, base)

    assert done.returncode == 1
    assert "expected NAME@sha256:DIGEST" in done.stderr
    assert calls == ""


def test_labels(tmp_path: Path):
    """Labels say what each image is, of which version and under which licences."""
    _, calls = build(tmp_path, "")

    for call in calls.splitlines():
        label = "--label org.opencontainers.image"
        assert f"{label}.title=aws-lambda-adapter {label}.description=Run any" in call
        assert f"{label}.version={__version__} " in call
        assert f"{label}.licenses=Apache-2.0 AND BSD-3-Clause AND " in call
        assert ("LGPL-2.1-or-later" in call) == ("--target standalone" in call)


@pytest.mark.parametrize(
    ("urls", "source"),
    [
        ("", []),
        ('Changelog = "https://example.org/c"', []),
        ('Repository = "https://example.org/r"', ["https://example.org/r"]),
        ('source = "https://example.org/s"', ["https://example.org/s"]),
    ],
)
def test_source_label(tmp_path: Path, urls: str, source: list[str]):
    """The source is a label only where the project names its repository."""
    project = f'[project]\ndescription = "An adapter."\n[project.urls]\n{urls}\n'
    (tmp_path / "pyproject.toml").write_text(project)
    show = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1]); import build_images;"
        "print(*build_images.labels(pathlib.Path('.'), 'plain'), sep='\\n')"
    )

    said = subprocess.run(
        [sys.executable, "-c", show, PROJECT / "packaging"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    found = re.findall(r"^org\.opencontainers\.image\.source=(.*)$", said, re.MULTILINE)
    assert found == source


def test_release_names_its_base():
    """The workflow of a release builds its images from a base named by its digest."""
    workflow = (PROJECT / ".github/workflows/release.yml").read_text("utf-8")

    steps = workflow.split("      - ")
    (images,) = [step for step in steps if step.startswith("run: make e2e-images")]
    assert "ADAPTER_BASE: ${{ steps.base.outputs.base }}" in images

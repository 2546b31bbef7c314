# All it takes is make and Python 3.11 or newer: `make test` fetches the rest.
PYTHON ?= python3
UV := 0.13.9
RIE := .cache/rie/aws-lambda-rie
bin := .venv/bin
images_state = git ls-files -z Dockerfile packaging examples tests/images \
    ':!tests/images/passed' | xargs -0 sha256sum | sha256sum
sources := $(shell find src packaging -type f -not -name '*.pyc')

# uv is to use the environment made here, trust whom this machine trusts, and fetch no Python.
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT
export UV_SYSTEM_CERTS := true
export UV_PYTHON_DOWNLOADS := never

.DELETE_ON_ERROR:
.PHONY: bench dev check test e2e e2e-images images-passed zipapp rie demo build layer clean
dev: .venv/synced
zipapp: dist/bootstrap
layer: dist/layer.zip
rie: $(RIE)

check: dev
	$(bin)/uv lock --check --quiet
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/lint-imports

test: dev zipapp rie
	$(bin)/pytest

e2e: dev zipapp rie
	$(bin)/pytest -m e2e

# The adapter under fire, for minutes: what `make test` does with less, and a soak.
.PHONY: torture
torture: dev
	$(bin)/pytest tests/torture --torture

# With a podman of its own and stand-ins for the base images, made of Debian packages; with
# DOCKER=docker, with that one and the images that it pulls.
e2e-images: dev zipapp rie
	DOCKER="$(DOCKER)" $(bin)/pytest -m images -v
	$(images_state) > tests/images/passed

# Whether the images are those that passed; if not, CI builds and runs them again.
images-passed:
	@$(images_state) | cmp --silent - tests/images/passed

# With docker, podman or buildah, whichever answers, or with the one named: DOCKER="podman
# --root /elsewhere". BUILD_FLAGS go to each build: BUILD_FLAGS="--network host".
build: dev zipapp
	$(bin)/python packaging/build_images.py "$(DOCKER)" $(BUILD_FLAGS)

demo: dev zipapp rie
	$(bin)/python -m tests.e2e.demo

# Everything, in less than ten minutes: tables, and pictures in .cache/bench. On a quiet
# machine, with cargo to build the peer, valgrind and strace; what is missing is named.
bench: dev zipapp
	$(bin)/python -m bench all
	$(bin)/python -m bench plot

clean:
	rm -rf .venv .cache build dist

.venv/uv-$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo 'This needs Python 3.11 or newer. Name one: make PYTHON=python3.13' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(bin)/python -m pip install --quiet --disable-pip-version-check uv==$(UV)
	touch $@

.venv/synced: .venv/uv-$(UV) pyproject.toml uv.lock
	$(bin)/uv sync --frozen --all-groups --quiet
	touch $@

dist/bootstrap: $(sources) pyproject.toml uv.lock LICENSE | .venv/synced
	$(bin)/python packaging/build_zipapp.py $@

dist/layer.zip: dist/bootstrap packaging/build_layer.py
	$(bin)/python packaging/build_layer.py $< $@

$(RIE): packaging/fetch_rie.py | .venv/synced
	$(bin)/python packaging/fetch_rie.py $@

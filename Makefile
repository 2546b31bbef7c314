# All it takes is make and Python 3.11 or newer: each target fetches what else it needs.
PYTHON ?= python3
UV := 0.13.9
RIE := .cache/rie/aws-lambda-rie
bin := .venv/bin
native := dist/lambda-adapter-$(shell uname -m)
natives := dist/lambda-adapter-x86_64 dist/lambda-adapter-aarch64
in_quick := "not e2e and not torture and not images and not release"
# Not the adapter's own tests: `make quick` leaves them out, and what they import.
not_in_quick := e2e torture images bench packaging docs/test_pages.py docs/test_site.py
# Two at a time for each processor: tests/conftest.py says why. The longest files first, and each
# in one piece, since its tests may share what they have started.
at_once := --numprocesses auto --dist loadfile --no-loadscope-reorder
images_state = git ls-files -z Dockerfile packaging examples tests/images \
    ':!tests/images/passed' | xargs -0 sha256sum | sha256sum
sources := $(shell find src packaging -type f -not -name '*.pyc')

# uv is to use the environment made here, trust whom this machine trusts, and fetch no Python.
unexport VIRTUAL_ENV UV_PROJECT_ENVIRONMENT
export UV_SYSTEM_CERTS := true
export UV_PYTHON_DOWNLOADS := never

.DELETE_ON_ERROR:
.PHONY: bench build check check-zoo clean clients coverage demo dev e2e e2e-images engine frameworks
.PHONY: help images-passed layer mutation native quick release release-check release-tag
.PHONY: release-test rest rie site test torture zipapp

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.* ## \(.*\)/make \1|\2/p' Makefile | sort | \
	    while IFS='|' read -r target about; do printf '%-20s %s\n' "$$target" "$$about"; done

dev: .venv/with-dev ## .venv, with everything
zipapp: dist/bootstrap ## dist/bootstrap: the adapter in one file, for images with Python
# That for a runtime without Python is made of each native file that there is.
layer: dist/layer.zip ## dist/layer*.zip: the adapter for managed and OS-only runtimes
	$(bin)/python packaging/build_standalone_layers.py dist
# On Debian 12 with what packaging/build_native.py names, elsewhere in a container of it.
native: $(native) ## dist/lambda-adapter-*: the adapter in one static file, for any image
rie: $(RIE) ## Lambda's emulator, for the tests

check: dev ## ruff, mypy, import-linter, codespell, zizmor, cfn-lint
	$(bin)/uv lock --check --quiet
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/lint-imports
	$(bin)/codespell README.md CHANGELOG.md CONTRIBUTING.md docs src tests packaging examples
	$(bin)/zizmor --quiet --offline --no-progress .github
	$(bin)/cfn-lint examples/*/template.yaml examples/production/*.yaml

test: dev zipapp rie ## every test but torture's long form and the images'
	$(bin)/pytest $(at_once)

quick: .venv/with-quick ## the adapter's own tests: three minutes, and a third of the packages
	$(bin)/pytest $(at_once) -m $(in_quick) $(addprefix --ignore=tests/,$(not_in_quick))

rest: dev zipapp rie ## what `make test` runs and `make quick` does not
	$(bin)/pytest $(at_once) $(addprefix tests/,$(not_in_quick))
	$(bin)/pytest $(at_once) -m e2e $(addprefix --ignore=tests/,$(not_in_quick))

# Bugs are planted in src, one at a time, in copies under mutants/: docs/security.md.
# WHAT="lambda_adapter.events.*" plants those of some modules only.
mutation: .venv/with-dev .venv/with-mutation ## plant bugs, and list those that no test finds: hours
	PATH="$(CURDIR)/$(bin):$$PATH" CI=true $(bin)/mutmut run $(if $(WHAT),"$(WHAT)") > mutants.log
	$(bin)/python -m tests.mutation

coverage: dev zipapp rie ## make test, and how much of the source its tests reach
	$(bin)/coverage erase
	$(bin)/coverage run -m pytest $(at_once)
	$(bin)/coverage combine --quiet
	$(bin)/coverage report

e2e: dev zipapp rie ## the end-to-end tests alone: the emulator, real applications
	$(bin)/pytest $(at_once) -m e2e

clients: dev ## the tests of requests, a real client, through every gateway: two minutes
	$(bin)/python -m tests.clients

# WHAT="flask werkzeug" runs those of some frameworks only.
frameworks: dev ## the tests of web frameworks, with the adapter behind their test clients
	WHAT="$(WHAT)" $(bin)/python -m tests.frameworks

# The adapter under fire, for minutes: what `make test` does with less, and a soak.
torture: dev ## the long form of tests/torture: seven minutes
	$(bin)/pytest tests/torture --torture

# With a podman of its own and stand-ins for the base images, made of Debian packages; with
# DOCKER=docker, with that one and the images that it pulls.
e2e-images: dev zipapp rie $(natives) ## build and run every image: ten minutes, root
	DOCKER="$(DOCKER)" $(bin)/pytest -m images -v
	$(images_state) > tests/images/passed

# Looked for first: without one, nothing has to be compiled.
engine: .venv/with-dev ## tell whether there is docker, podman or buildah, to build images with
	@[ -n "$(DOCKER)" ] || PYTHONPATH=packaging $(bin)/python -c \
	    'from build_images import ENGINES, find_engine; find_engine(ENGINES)'

# If they have changed, CI builds and runs them again.
images-passed: ## tell whether the images are those that passed
	@$(images_state) | cmp --silent - tests/images/passed

# With docker, podman or buildah, whichever answers, or with the one named: DOCKER="podman
# --root /elsewhere". BUILD_FLAGS go to each build: BUILD_FLAGS="--network host".
build: dev engine zipapp $(natives) ## the images to copy the adapter from
	$(bin)/python packaging/build_images.py "$(DOCKER)" $(BUILD_FLAGS)

# With TAG=v1.2.3, only if that is the version's tag, and the project is ready for it. Whoever
# may push a tag chooses its text: neither make nor the shell is to read it as theirs.
unexport TAG
export RELEASE_TAG := $(value TAG)
release-tag: dev ## refuse TAG, unless it is the version's and all is ready for it
	@[ -z "$$RELEASE_TAG" ] || $(bin)/python packaging/build_release.py --check-tag="$$RELEASE_TAG"

release: release-tag zipapp dist/layer.zip $(natives) ## all files of a release, in dist/release
	$(bin)/python packaging/build_standalone_layers.py dist
	$(bin)/python packaging/build_release.py dist/release

release-test: dev ## test the files in dist/release as they are
	$(bin)/pytest -m release tests/packaging

release-check: release ## build the files of a release and test them
	$(MAKE) release-test

site: dev ## the documentation's pages, in build/site
	$(bin)/mkdocs build --strict

# Every application of the zoo, and every example: eight minutes. `make test` checks them quickly.
check-zoo: dev ## how good `lambda-adapter local check` is, and its table in the docs
	$(bin)/python -m tests.zoo --table

demo: .venv/with-demo ## a request to Flask through a local Lambda, seen from both ends
	$(bin)/python -m tests.local.demo

# Everything, in a quarter of an hour, on a quiet machine with a C compiler, cargo (which
# builds the Rust adapter once), valgrind and strace. It renews bench/results and the tables
# of the pages that quote it; tests/bench/test_pages.py names what else has to follow.
bench: dev $(native) ## measure, beside the Rust adapter and others
	$(bin)/python -m bench all --json bench/results/latest.jsonl
	$(bin)/python -m bench readme

clean: ## remove what was made
	rm -rf .venv .cache build dist mutants mutants.log

.venv/uv-$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo 'This needs Python 3.11 or newer. Name one: make PYTHON=python3.13' >&2; exit 1; }
	@echo "Making .venv with $(PYTHON) ..."
	$(PYTHON) -m venv .venv
	$(bin)/python -m pip install --quiet --disable-pip-version-check uv==$(UV)
	touch $@

# A group of pyproject.toml, beside those that are there.
.venv/with-%: .venv/uv-$(UV) pyproject.toml uv.lock
	@echo 'Installing what the group "$*" needs into .venv, which takes a moment ...'
	$(bin)/uv sync --frozen --inexact --no-default-groups --group $*
	touch $@

dist/bootstrap: $(sources) pyproject.toml uv.lock LICENSE | .venv/with-dev
	$(bin)/python packaging/build_zipapp.py $@

dist/lambda-adapter-%: $(sources) pyproject.toml uv.lock | .venv/with-dev
	$(bin)/python packaging/build_native.py $@ --architecture $* --engine "$(DOCKER)"

dist/layer.zip: dist/bootstrap packaging/build_layer.py
	$(bin)/python packaging/build_layer.py $< $@

$(RIE): packaging/fetch_rie.py | .venv/with-dev
	$(bin)/python packaging/fetch_rie.py $@

#!/bin/sh
# Build the native files of both architectures in a container of Debian 12, which has the
# checkout at /checkout, and put them into its dist.
set -eu
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    ca-certificates make python3 python3-venv python3.11-minimal gcc libc6-dev \
    libpython3.11-dev zlib1g-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross
mkdir /build
cd /checkout
cp -r Makefile LICENSE README.md pyproject.toml uv.lock packaging src /build
cd /build
make dist/lambda-adapter-x86_64 dist/lambda-adapter-aarch64
cp dist/lambda-adapter-* /checkout/dist/

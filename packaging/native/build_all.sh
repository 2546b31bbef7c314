#!/bin/sh
# Build the native files of both architectures in a container of Debian 12, which has the
# checkout at /checkout, and put them into its dist.
set -eu
# The compiler for the other architecture.
case $(uname -m) in
    x86_64) cross="gcc-aarch64-linux-gnu libc6-dev-arm64-cross" ;;
    aarch64) cross="gcc-x86-64-linux-gnu libc6-dev-amd64-cross" ;;
esac
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    ca-certificates make python3 python3-venv python3.11-minimal gcc libc6-dev \
    libpython3.11-dev zlib1g-dev $cross
mkdir /build
cd /checkout
cp -r Makefile LICENSE README.md pyproject.toml uv.lock packaging src /build
cd /build
make dist/lambda-adapter-x86_64 dist/lambda-adapter-aarch64
mkdir -p /checkout/dist
cp dist/lambda-adapter-* /checkout/dist/

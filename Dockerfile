# What other images copy the adapter from. `make build` builds them all.
#
#   plain       COPY --from=aws-lambda-adapter:latest /opt/ /opt/
#               for an image that has a Python of its own
#   standalone  COPY --from=aws-lambda-adapter:latest-standalone /opt/bootstrap /opt/bootstrap
#               for any image, even FROM scratch: one file that needs nothing else
#
# /lambda-adapter is where the AWS Lambda Web Adapter's image has it; what is copied from
# there goes to /opt/extensions. It is not there already, because Lambda starts what is in
# that directory first, and the runtime once that has registered: 0.15 s later.
#
# Nothing of the target's architecture is executed, so that images for arm64 are built on
# x86-64, and the other way round, without an emulator.
ARG PYTHON=3.13
# A release names it by its digest, python:3.13-slim@sha256:..., for all stages alike.
ARG BASE=python:${PYTHON}-slim

FROM --platform=$BUILDPLATFORM ${BASE} AS unpack
ARG TARGETARCH
COPY dist/bootstrap /opt/bootstrap
# The extension modules of the other architecture are of no use; those of other Pythons are,
# and what their bytecode is missing they add by `RUN /opt/bootstrap --version`. One date for
# all files makes the layer reproducible; no pyc is checked, so none minds.
RUN case "$TARGETARCH" in amd64) arch=x86_64 ;; arm64) arch=aarch64 ;; \
        *) echo "There is no adapter for the architecture '$TARGETARCH'." >&2; exit 1 ;; esac \
    && /opt/bootstrap --version \
    && rm -f /opt/shiv/.*_lock \
    && find /opt/shiv -name '*-linux-gnu.so' ! -name "*-$arch-linux-gnu.so" -delete \
    && mkdir /image \
    && ln -s opt/bootstrap /image/lambda-adapter \
    && mv /opt /image/ \
    && find /image -exec touch --no-dereference --date=@315532800 {} +

FROM scratch AS plain
COPY --from=unpack /image/ /

# `make native` has built one for each architecture.
FROM --platform=$BUILDPLATFORM ${BASE} AS choose
ARG TARGETARCH
COPY dist/lambda-adapter-x86_64 dist/lambda-adapter-x86_64.cdx.json dist/lambda-adapter-x86_64.licenses.txt /native/amd64/
COPY dist/lambda-adapter-aarch64 dist/lambda-adapter-aarch64.cdx.json dist/lambda-adapter-aarch64.licenses.txt /native/arm64/
# What is linked into it, and under which licences, is beside it in /licenses.
RUN cd "/native/$TARGETARCH" \
    && mkdir -p /image/opt /image/licenses \
    && install -m 755 lambda-adapter-*64 /image/opt/bootstrap \
    && install -m 644 *.cdx.json /image/licenses/lambda-adapter.cdx.json \
    && install -m 644 *.licenses.txt /image/licenses/lambda-adapter.txt \
    && ln -s opt/bootstrap /image/lambda-adapter \
    && find /image -exec touch --no-dereference --date=@315532800 {} +

FROM scratch AS standalone
COPY --from=choose /image/ /

# What other images copy the adapter from. `make build` builds them all.
#
#   plain       COPY --from=aws-lambda-adapter:latest /opt/ /opt/
#               for an image that has a Python of its own
#   standalone  COPY --from=aws-lambda-adapter:latest-standalone /opt/ /opt/
#               for any image, even FROM scratch: it brings its own Python, and libc
#   onefile     COPY --from=aws-lambda-adapter:latest-onefile /opt/bootstrap /opt/bootstrap
#               the same in one file, which unpacks itself
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

# Its platform is the default with Docker, but not with podman 4.
# hadolint ignore=DL3065
FROM --platform=$TARGETPLATFORM ${BASE} AS target

FROM --platform=$BUILDPLATFORM ${BASE} AS assemble
COPY packaging/relocate_python.py packaging/assemble-tools.txt /
RUN pip install --no-cache-dir --require-hashes --requirement /assemble-tools.txt
COPY --from=unpack /image/opt/shiv/ /shiv/
RUN --mount=type=bind,from=target,target=/target \
    python3 /relocate_python.py /target /shiv/*/site-packages /opt/lambda-adapter \
    && mv /opt/lambda-adapter/bootstrap /opt/ \
    && mkdir /image \
    && ln -s opt/bootstrap /image/lambda-adapter \
    && mv /opt /image/ \
    && find /image -exec touch --no-dereference --date=@315532800 {} +

FROM scratch AS standalone
COPY --from=assemble /image/ /

FROM --platform=$BUILDPLATFORM ${BASE} AS launcher
ARG TARGETARCH
COPY packaging/onefile.c packaging/launcher-tools.txt /
RUN pip install --no-cache-dir --require-hashes --requirement /launcher-tools.txt
RUN case "$TARGETARCH" in \
        amd64) target=x86_64-linux-musl linker=ld-linux-x86-64.so.2 ;; \
        arm64) target=aarch64-linux-musl linker=ld-linux-aarch64.so.1 ;; esac \
    && python3 -m ziglang cc -target "$target" -static -Os -s -DLINKER="\"$linker\"" \
        -o /launcher /onefile.c

FROM --platform=$BUILDPLATFORM assemble AS pack
COPY --from=launcher /launcher /
COPY packaging/pack_onefile.sh /
WORKDIR /onefile/opt
RUN sh /pack_onefile.sh /launcher /image/opt/lambda-adapter bootstrap \
    && ln -s opt/bootstrap ../lambda-adapter \
    && find /onefile -exec touch --no-dereference --date=@315532800 {} +

FROM scratch AS onefile
COPY --from=pack /onefile/ /

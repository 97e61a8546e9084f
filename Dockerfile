# railbird: one image, whose entry points are the containers' `command:`. docs/image.md says how to build it and what is in it.
# Debian 12. Whoever releases names its digest: --build-arg BASE_IMAGE=docker.io/library/debian:bookworm-slim@sha256:...
ARG BASE_IMAGE=docker.io/library/debian:bookworm-slim

# The secrets of the build, none of them required, none of them in a layer: `ca` (a CA bundle), `apt` (a sources.list),
# `pip` (a pip.conf), `npmrc`.
FROM ${BASE_IMAGE} AS python
COPY --chmod=755 daemonset/image/apt-get.sh /build/
RUN --mount=type=secret,id=ca,required=false --mount=type=secret,id=apt,required=false \
    /build/apt-get.sh update && /build/apt-get.sh install --yes --no-install-recommends python3.11-venv
RUN python3.11 -m venv /build/pip
COPY --chmod=755 daemonset/image/pip.sh /build/

# What the image has of Debian.
FROM python AS rootfs
COPY --chmod=755 daemonset/image/rootfs.sh daemonset/image/packages.txt daemonset/image/left-out.txt /build/
RUN --mount=type=secret,id=ca,required=false --mount=type=secret,id=apt,required=false \
    /build/rootfs.sh /rootfs

# What it has of PyPI.
FROM python AS libraries
ENV VIRTUAL_ENV=/opt/railbird
COPY requirements-image.lock /build/
COPY --chmod=755 daemonset/image/trim.sh /build/
RUN --mount=type=secret,id=ca,required=false --mount=type=secret,id=pip,required=false \
    python3.11 -m venv --without-pip "$VIRTUAL_ENV" \
    && /build/pip.sh install --quiet --require-hashes --only-binary :all: -r /build/requirements-image.lock \
    && /build/trim.sh "$VIRTUAL_ENV"

# What the pages have of npm.
FROM python AS web
COPY daemonset/image/npm_ci.py daemonset/image/vendor.sh package-lock.json /build/
RUN --mount=type=secret,id=ca,required=false --mount=type=secret,id=npmrc,required=false \
    if [ -e /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca; fi; \
    python3.11 /build/npm_ci.py /build/package-lock.json /build/node_modules /run/secrets/npmrc \
    && sh /build/vendor.sh /build/node_modules /vendor \
    && for package in hls.js uplot; do install -D -m 644 -t "/packages/$package" "/build/node_modules/$package/package.json"; done

# railbird itself. Its build backend is in the lock of the developers' tools, by its hash like all else.
FROM python AS railbird
ENV VIRTUAL_ENV=/opt/railbird
COPY requirements.lock /build/
RUN --mount=type=secret,id=ca,required=false --mount=type=secret,id=pip,required=false \
    python3.11 -m venv --without-pip /build/backend && python3.11 -m venv --without-pip "$VIRTUAL_ENV" \
    && sed -n '/^setuptools==/,/^    # via/p' /build/requirements.lock >/build/backend.lock \
    && VIRTUAL_ENV=/build/backend /build/pip.sh install --quiet --require-hashes --only-binary :all: -r /build/backend.lock
COPY . /build/railbird
COPY --from=web /vendor /build/railbird/gateway/web/vendor
RUN VIRTUAL_ENV=/build/backend /build/pip.sh wheel --quiet --no-index --no-deps --no-build-isolation \
        --wheel-dir /build/wheel /build/railbird \
    && /build/pip.sh install --quiet --no-index --no-deps /build/wheel/*.whl \
    && sh /build/railbird/daemonset/image/trim.sh "$VIRTUAL_ENV"
COPY --from=web /packages /opt/railbird/share/node_modules

FROM scratch
COPY --from=rootfs /rootfs /
COPY --from=libraries /opt/railbird /opt/railbird
COPY --from=railbird /opt/railbird /opt/railbird
# No bytecode is written (it is here already, and the root is read-only), no module is looked for where one stands, and
# matplotlib keeps its list of fonts in /tmp, which has to be a tmpfs where loadgen draws reports.
ENV PATH=/opt/railbird/bin:/usr/bin:/usr/sbin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp/matplotlib
LABEL org.opencontainers.image.title="railbird" \
      org.opencontainers.image.description="Live-streaming edge gateway, its node tuner and its load generator" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"
WORKDIR /opt/railbird
USER 65532:65532
# HTTP, what the tuner's watch says, media.
EXPOSE 8080/tcp 9108/tcp 8189/udp
STOPSIGNAL SIGTERM
CMD ["railbird-gateway"]

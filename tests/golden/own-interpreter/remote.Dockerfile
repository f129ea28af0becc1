# Rendered by lockwright: change the recipes and locks, not this file.
#   lock/1.4.2/ubuntu-24.04-python-3.12/dynamo-x86_64.toml sha256:4c7e28ba546dd5abcae834662d3e7e7c15a7376af9ab45baf4b63228c2caba52
#
# To build it so that everyone gets the same digest, after `python -m builder fetch`:
#   python -m builder build --framework dynamo --release 1.4.2 --platform ubuntu-24.04-python-3.12
# or, with docker-bake.json beside this file and the store's folder in STORE:
#   STORE=… docker buildx bake
# A bare `docker build --build-context store=DIR` works too, but its digest is its own: it lacks
# SOURCE_DATE_EPOCH and the exporter's rewrite-timestamp. The target `check` runs the checks.

# Replaced by the build context of this name; empty without it, so that nothing is pulled.
FROM scratch AS store

# images: registry.invalid/nvidia/cuda, tag 13.0.1-devel-ubuntu24.04, for build
FROM mirror.invalid:5000/hub/nvidia/cuda@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc AS base-build-x86_64

# images: registry.invalid/nvidia/cuda, tag 13.0.1-runtime-ubuntu24.04, for runtime
FROM mirror.invalid:5000/hub/nvidia/cuda@sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd AS base-runtime-x86_64

# os-packages for cpython, tool
FROM scratch AS debs-cpython_tool-x86_64
ADD --link --checksum=sha256:00000000000000000000000000000000000000000000000000000000000000c3 http://archive.invalid/ubuntu/pool/main/g/gcc/gcc_13.2.0-7_amd64.deb /gcc_13.2.0-7_amd64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
00000000000000000000000000000000000000000000000000000000000000c3  gcc_13.2.0-7_amd64.deb
EOF

# os-packages for runtime
FROM scratch AS debs-runtime-x86_64
ADD --link --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000060 http://archive.invalid/ubuntu/pool/main/l/libc6/libc6_2.39-0ubuntu8_amd64.deb /libc6_2.39-0ubuntu8_amd64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000060  libc6_2.39-0ubuntu8_amd64.deb
EOF

# os-packages for runtime, tool
FROM scratch AS debs-runtime_tool-x86_64
ADD --link --checksum=sha256:00000000000000000000000000000000000000000000000000000000000000c2 http://archive.invalid/ubuntu/pool/main/libf/libffi/libffi8_3.4.6-1_amd64.deb /libffi8_3.4.6-1_amd64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
00000000000000000000000000000000000000000000000000000000000000c2  libffi8_3.4.6-1_amd64.deb
EOF

# python for runtime
FROM scratch AS wheels-runtime-x86_64
ADD --link --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000004 https://files.invalid/packages/00/00/000000000000000000000000000000000000000000000000000000000004/package_000-1.0-py3-none-any.whl /package_000-1.0-py3-none-any.whl
COPY --link --chmod=644 <<'EOF' /requirements.txt
package-000==1.0 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000004
EOF

# python for tool
FROM scratch AS wheels-tool-x86_64
ADD --link --checksum=sha256:00000000000000000000000000000000000000000000000000000000000000c1 https://files.invalid/packages/00/00/0000000000000000000000000000000000000000000000000000000000c1/meson-1.9.1-py3-none-any.whl /meson-1.9.1-py3-none-any.whl
COPY --link --chmod=644 <<'EOF' /requirements.txt
meson==1.9.1 --hash=sha256:00000000000000000000000000000000000000000000000000000000000000c1
EOF

# python for installer
FROM scratch AS installer-x86_64
ADD --link --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000003 https://files.invalid/packages/00/00/000000000000000000000000000000000000000000000000000000000003/pip-26.3-py3-none-any.whl /pip-26.3-py3-none-any.whl
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000003  pip-26.3-py3-none-any.whl
EOF

# archives of cpython
FROM scratch AS inputs-cpython-x86_64
ADD --link --chmod=644 --checksum=sha256:00000000000000000000000000000000000000000000000000000000000000c4 https://sources.invalid/python/3.12.6/Python-3.12.6.tgz /Python-3.12.6.tgz
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
00000000000000000000000000000000000000000000000000000000000000c4  Python-3.12.6.tgz
EOF

# archives of tool
FROM scratch AS inputs-tool-x86_64
ADD --link --chmod=644 --checksum=sha256:00000000000000000000000000000000000000000000000000000000000000c5 https://releases.invalid/tool/tool-2.0.tar.gz /tool-2.0.tar.gz
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
00000000000000000000000000000000000000000000000000000000000000c5  tool-2.0.tar.gz
EOF

# os-packages for the builds of cpython
FROM base-build-x86_64 AS toolchain-cpython-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-cpython_tool-x86_64,target=/debs/0 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# os-packages for the builds of tool
FROM base-build-x86_64 AS toolchain-tool-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-cpython_tool-x86_64,target=/debs/0 \
    --mount=type=bind,from=debs-runtime_tool-x86_64,target=/debs/1 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/1 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# builds: cpython 3.12.6 (Python-2.0.1), autotools
FROM toolchain-cpython-x86_64 AS cpython-x86_64
ARG SOURCE_DATE_EPOCH
WORKDIR /src/cpython
RUN --network=none \
    --mount=type=bind,from=inputs-cpython-x86_64,target=/inputs <<'EOF'
set -eu
env --chdir=/inputs sha256sum --check --strict --quiet SHA256SUMS
tar --extract --file=/inputs/Python-3.12.6.tgz --strip-components=1 --no-same-owner
./configure --prefix=/opt/python
make -j"$(nproc)"
make install
find /opt/python -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# builds: tool 2.0 (MIT), meson
FROM toolchain-tool-x86_64 AS tool-x86_64
ARG SOURCE_DATE_EPOCH
COPY --link --from=cpython-x86_64 /opt/python /opt/python
RUN --network=none \
    --mount=type=bind,from=installer-x86_64,target=/installer \
    --mount=type=bind,from=wheels-tool-x86_64,target=/wheels/0 <<'EOF'
set -eu
env --chdir=/installer sha256sum --check --strict --quiet SHA256SUMS
/opt/python/bin/python3.12 -m venv --without-pip /opt/build-env
env PYTHONDONTWRITEBYTECODE=1 /opt/python/bin/python3.12 -I /installer/pip-26.3-py3-none-any.whl/pip \
  --isolated --python /opt/build-env/bin/python install --no-cache-dir --no-index --no-deps --no-compile \
  --only-binary=:all: --root-user-action=ignore --disable-pip-version-check --no-input --require-hashes \
  --find-links=/wheels/0 --requirement=/wheels/0/requirements.txt
EOF
ENV PATH="/opt/build-env/bin:${PATH}"
WORKDIR /src/tool
RUN --network=none \
    --mount=type=bind,from=inputs-tool-x86_64,target=/inputs <<'EOF'
set -eu
env --chdir=/inputs sha256sum --check --strict --quiet SHA256SUMS
tar --extract --file=/inputs/tool-2.0.tar.gz --strip-components=1 --no-same-owner
mkdir -p /wheels
python3 -m mesonbuild.mesonmain --version
EOF

# os-packages for runtime
FROM base-runtime-x86_64 AS os-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-runtime-x86_64,target=/debs/0 \
    --mount=type=bind,from=debs-runtime_tool-x86_64,target=/debs/1 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/1 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# python for runtime
FROM os-x86_64 AS python-x86_64
ARG SOURCE_DATE_EPOCH
COPY --link --from=cpython-x86_64 /opt/python /opt/python
RUN --network=none \
    --mount=type=bind,from=installer-x86_64,target=/installer \
    --mount=type=bind,from=wheels-runtime-x86_64,target=/wheels/0 \
    --mount=type=bind,from=tool-x86_64,source=/wheels,target=/built/tool <<'EOF'
set -eu
env --chdir=/installer sha256sum --check --strict --quiet SHA256SUMS
/opt/python/bin/python3.12 -m venv --without-pip /opt/venv
env PYTHONDONTWRITEBYTECODE=1 /opt/python/bin/python3.12 -I /installer/pip-26.3-py3-none-any.whl/pip \
  --isolated --python /opt/venv/bin/python install --no-cache-dir --no-index --no-deps --no-compile \
  --only-binary=:all: --root-user-action=ignore --disable-pip-version-check --no-input --require-hashes \
  --find-links=/wheels/0 --requirement=/wheels/0/requirements.txt
env PYTHONDONTWRITEBYTECODE=1 /opt/python/bin/python3.12 -I /installer/pip-26.3-py3-none-any.whl/pip \
  --isolated --python /opt/venv/bin/python install --no-cache-dir --no-index --no-deps --no-compile \
  --only-binary=:all: --root-user-action=ignore --disable-pip-version-check --no-input \
  --find-links=/built/tool tool==2.0
EOF

# The image of 1.4.2/ubuntu-24.04-python-3.12/dynamo-x86_64: prefixes of builds, python, runtime
FROM os-x86_64 AS runtime-x86_64
ARG SOURCE_DATE_EPOCH
COPY --link --from=cpython-x86_64 /opt/python /opt/python
COPY --link --from=python-x86_64 /opt/venv /opt/venv
ENV PATH="/opt/venv/bin:${PATH}"
ENV A="1"
LABEL lockwright.lock="sha256:4c7e28ba546dd5abcae834662d3e7e7c15a7376af9ab45baf4b63228c2caba52"
LABEL lockwright.target="1.4.2/ubuntu-24.04-python-3.12/dynamo-x86_64"
LABEL org.opencontainers.image.title="dynamo"
LABEL org.opencontainers.image.version="1.4.2"
LABEL org.opencontainers.image.created="2026-08-29T10:40:00Z"
LABEL org.opencontainers.image.revision="sha256:4c7e28ba546dd5abcae834662d3e7e7c15a7376af9ab45baf4b63228c2caba52"
LABEL org.opencontainers.image.base.name="registry.invalid/nvidia/cuda:13.0.1-runtime-ubuntu24.04"
LABEL org.opencontainers.image.base.digest="sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
LABEL org.opencontainers.image.licenses="Python-2.0.1"

# checks of builds and runtime: each must succeed and print what is expected
FROM runtime-x86_64 AS check-x86_64
ARG SOURCE_DATE_EPOCH
COPY --link --chmod=755 <<'EOF' /check
#!/bin/sh
# check TEXT COMMAND…: the command must succeed, and TEXT must be in its output
text="$1"
shift
status=0
output="$("$@" 2>&1)" || status=$?
printf '%s\n' "$output"
[ "$status" -eq 0 ] || exit "$status"
case "$output" in
  *"$text"*) ;;
  *) printf 'not in this output: %s\n' "$text" >&2; exit 1 ;;
esac
EOF
RUN --network=none <<'EOF'
set -eu
/check '' /opt/python/bin/python3.12 -c 'import ssl'
EOF

# linux/amd64 is x86_64.
FROM check-x86_64 AS check-amd64

# linux/arm64 has no lock here: building for it stops at this missing file.
FROM scratch AS check-arm64
COPY --link --from=store no-lock-for-aarch64 /

# The image with its checks passed.
FROM check-${TARGETARCH} AS check

# linux/amd64 is x86_64.
FROM runtime-x86_64 AS runtime-amd64

# linux/arm64 has no lock here: building for it stops at this missing file.
FROM scratch AS runtime-arm64
COPY --link --from=store no-lock-for-aarch64 /

# The image, of the platform that is built.
FROM runtime-${TARGETARCH} AS runtime

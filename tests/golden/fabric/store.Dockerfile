# Rendered by lockwright: change the recipes and locks, not this file.
#   lock/1.4.2/debian-13/dynamo-x86_64.toml sha256:a85e2fa87127633d533b1a25715318c4c49a520d97152051e62e4e2c5cc88d2a
#   lock/1.4.2/debian-13/dynamo-aarch64.toml sha256:a681aa4e8a4ecf672aedfadd4abb7350a958b1e59afee67cebf7456d73d2d301
#
# To build it so that everyone gets the same digest, after `python -m builder fetch`:
#   python -m builder build --framework dynamo --release 1.4.2 --platform debian-13
# or, with docker-bake.json beside this file and the store's folder in STORE:
#   STORE=… docker buildx bake
# A bare `docker build --build-context store=DIR` works too, but its digest is its own: it lacks
# SOURCE_DATE_EPOCH and the exporter's rewrite-timestamp. The target `check` runs the checks.
# Every input comes from the store.

# Replaced by the build context of this name; empty without it, so that nothing is pulled.
FROM scratch AS store

# images: registry.invalid/library/debian, tag 13-slim, for build and runtime
FROM registry.invalid/library/debian@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa AS base-x86_64

# os-packages for cuda, gdrcopy, hwloc, nixl, ucx
FROM scratch AS debs-cuda_and_4_more-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000012 /gcc_14.2.0-19_amd64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000012  gcc_14.2.0-19_amd64.deb
EOF

# os-packages for cuda, nixl, runtime
FROM scratch AS debs-cuda_nixl_runtime-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000017 /libpython3.13_3.13.5-2_amd64.deb
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000016 /python3_3.13.5-1_amd64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000017  libpython3.13_3.13.5-2_amd64.deb
0000000000000000000000000000000000000000000000000000000000000016  python3_3.13.5-1_amd64.deb
EOF

# os-packages for gdrcopy, hwloc, ucx
FROM scratch AS debs-gdrcopy_hwloc_ucx-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000013 /make_4.4.1-2_amd64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000013  make_4.4.1-2_amd64.deb
EOF

# os-packages for gdrcopy, ucx
FROM scratch AS debs-gdrcopy_ucx-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000015 /g++_14.2.0-19_amd64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000015  g++_14.2.0-19_amd64.deb
EOF

# os-packages for runtime
FROM scratch AS debs-runtime-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000019 /openssl_3.5.4-1~deb13u1_amd64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000019  openssl_3.5.4-1~deb13u1_amd64.deb
EOF

# os-packages for runtime, ucx
FROM scratch AS debs-runtime_ucx-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000018 /libibverbs1_56.1-1_amd64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000018  libibverbs1_56.1-1_amd64.deb
EOF

# os-packages for ucx
FROM scratch AS debs-ucx-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000014 /autoconf_2.72-3.1_all.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000014  autoconf_2.72-3.1_all.deb
EOF

# python for cuda, runtime
FROM scratch AS wheels-cuda_runtime-x86_64
COPY --link --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000f /nvidia_cuda_runtime-13.0.96-py3-none-manylinux_2_28_x86_64.whl
COPY --link --chmod=644 <<'EOF' /requirements.txt
nvidia-cuda-runtime==13.0.96 --hash=sha256:000000000000000000000000000000000000000000000000000000000000000f
EOF

# python for nixl
FROM scratch AS wheels-nixl-x86_64
COPY --link --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000d /meson-1.9.1-py3-none-any.whl
COPY --link --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000e /ninja-1.13.0-py3-none-manylinux_2_28_x86_64.whl
COPY --link --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000b /pip-26.3-py3-none-any.whl
COPY --link --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000c /setuptools-80.9.0-py3-none-any.whl
COPY --link --chmod=644 <<'EOF' /requirements.txt
meson==1.9.1 --hash=sha256:000000000000000000000000000000000000000000000000000000000000000d
ninja==1.13.0 --hash=sha256:000000000000000000000000000000000000000000000000000000000000000e
pip==26.3 --hash=sha256:000000000000000000000000000000000000000000000000000000000000000b
setuptools==80.9.0 --hash=sha256:000000000000000000000000000000000000000000000000000000000000000c
EOF

# python for runtime
FROM scratch AS wheels-runtime-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000011 /ai_dynamo-1.4.2-py3-none-any.whl
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000010 /torch-2.11.0+cu130-cp313-cp313-manylinux_2_28_x86_64.whl
COPY --link --chmod=644 <<'EOF' /requirements.txt
ai-dynamo==1.4.2 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000011
torch==2.11.0+cu130 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000010
EOF

# python for installer
FROM scratch AS installer-x86_64
COPY --link --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000b /pip-26.3-py3-none-any.whl
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
000000000000000000000000000000000000000000000000000000000000000b  pip-26.3-py3-none-any.whl
EOF

# archives of hwloc
FROM scratch AS inputs-hwloc-x86_64
COPY --link --chmod=644 --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000008 /hwloc-2.12.2.tar.bz2
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000008  hwloc-2.12.2.tar.bz2
EOF

# archives of nats-server
FROM scratch AS inputs-nats-server-x86_64
COPY --link --chmod=644 --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000a /LICENSE
COPY --link --chmod=644 --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000009 /nats-server-v2.11.4-linux-amd64.tar.gz
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
000000000000000000000000000000000000000000000000000000000000000a  LICENSE
0000000000000000000000000000000000000000000000000000000000000009  nats-server-v2.11.4-linux-amd64.tar.gz
EOF

# sources: gdrcopy 2.5.2, commit 0000000000000000000000000000000000000005
FROM scratch AS source-gdrcopy-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000006 /gdrcopy-2.5.2.tar
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000006  gdrcopy-2.5.2.tar
EOF

# sources: nixl 1.3.2, commit 0000000000000000000000000000000000000007
FROM scratch AS source-nixl-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000007 /nixl-1.3.2.tar
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000007  nixl-1.3.2.tar
EOF

# sources: ucx 1.21.0, commit 0000000000000000000000000000000000000001
FROM scratch AS source-ucx-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000005 /ucx-1.21.0.tar
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000005  ucx-1.21.0.tar
EOF

# os-packages for the builds of cuda, nixl
FROM base-x86_64 AS toolchain-cuda-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-cuda_and_4_more-x86_64,target=/debs/0 \
    --mount=type=bind,from=debs-cuda_nixl_runtime-x86_64,target=/debs/1 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/1 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# os-packages for the builds of gdrcopy
FROM base-x86_64 AS toolchain-gdrcopy-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-cuda_and_4_more-x86_64,target=/debs/0 \
    --mount=type=bind,from=debs-gdrcopy_hwloc_ucx-x86_64,target=/debs/1 \
    --mount=type=bind,from=debs-gdrcopy_ucx-x86_64,target=/debs/2 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/1 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/2 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# os-packages for the builds of hwloc
FROM base-x86_64 AS toolchain-hwloc-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-cuda_and_4_more-x86_64,target=/debs/0 \
    --mount=type=bind,from=debs-gdrcopy_hwloc_ucx-x86_64,target=/debs/1 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/1 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# os-packages for the builds of ucx
FROM base-x86_64 AS toolchain-ucx-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-cuda_and_4_more-x86_64,target=/debs/0 \
    --mount=type=bind,from=debs-gdrcopy_hwloc_ucx-x86_64,target=/debs/1 \
    --mount=type=bind,from=debs-gdrcopy_ucx-x86_64,target=/debs/2 \
    --mount=type=bind,from=debs-runtime_ucx-x86_64,target=/debs/3 \
    --mount=type=bind,from=debs-ucx-x86_64,target=/debs/4 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/1 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/2 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/3 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/4 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# patches of ucx
FROM scratch AS patches-ucx-x86_64
COPY --link --chmod=644 <<'EOF' /ucx/tab.patch
--- a/configure.ac
+++ b/configure.ac
@@ -1 +1 @@
-	old
+	new
EOF

# builds: cuda 13.0 (LicenseRef-NVIDIA-CUDA), prebuilt
FROM toolchain-cuda-x86_64 AS cuda-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=installer-x86_64,target=/installer \
    --mount=type=bind,from=wheels-cuda_runtime-x86_64,target=/wheels/0 <<'EOF'
set -eu
env --chdir=/installer sha256sum --check --strict --quiet SHA256SUMS
python3.13 -m venv --without-pip /opt/build-env
env PYTHONDONTWRITEBYTECODE=1 python3.13 -I /installer/pip-26.3-py3-none-any.whl/pip --isolated --python \
  /opt/build-env/bin/python install --no-cache-dir --no-index --no-deps --no-compile --only-binary=:all: \
  --root-user-action=ignore --disable-pip-version-check --no-input --require-hashes --find-links=/wheels/0 \
  --requirement=/wheels/0/requirements.txt
EOF
ENV PATH="/opt/build-env/bin:${PATH}"
WORKDIR /src/cuda
RUN --network=none <<'EOF'
set -eu
mkdir -p /opt/cuda
cp -a /opt/build-env/lib/python3.13/site-packages/nvidia/cu13/. /opt/cuda/
find /opt/cuda -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF
RUN --network=none <<'EOF'
set -eu
test -e /opt/cuda/include/cuda_runtime.h
EOF

# builds: gdrcopy 2.5.2 (MIT), make
FROM toolchain-gdrcopy-x86_64 AS gdrcopy-x86_64
ARG SOURCE_DATE_EPOCH
COPY --link --from=cuda-x86_64 /opt/cuda /opt/cuda
WORKDIR /src/gdrcopy
RUN --network=none \
    --mount=type=bind,from=source-gdrcopy-x86_64,target=/sources <<'EOF'
set -eu
env --chdir=/sources sha256sum --check --strict --quiet SHA256SUMS
tar --extract --file=/sources/gdrcopy-2.5.2.tar --strip-components=1 --no-same-owner
make -j"$(nproc)" prefix=/opt/gdrcopy CUDA=/opt/cuda lib
make prefix=/opt/gdrcopy CUDA=/opt/cuda lib_install
find /opt/gdrcopy -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# builds: hwloc 2.12.2 (BSD-3-Clause), autotools
FROM toolchain-hwloc-x86_64 AS hwloc-x86_64
ARG SOURCE_DATE_EPOCH
WORKDIR /src/hwloc
RUN --network=none \
    --mount=type=bind,from=inputs-hwloc-x86_64,target=/inputs <<'EOF'
set -eu
env --chdir=/inputs sha256sum --check --strict --quiet SHA256SUMS
tar --extract --file=/inputs/hwloc-2.12.2.tar.bz2 --strip-components=1 --no-same-owner
./configure --prefix=/opt/hwloc --disable-static
make -j"$(nproc)"
make install-strip
find /opt/hwloc -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# builds: nats-server 2.11.4 (Apache-2.0), prebuilt
FROM base-x86_64 AS nats-server-x86_64
ARG SOURCE_DATE_EPOCH
WORKDIR /src/nats-server
RUN --network=none \
    --mount=type=bind,from=inputs-nats-server-x86_64,target=/inputs <<'EOF'
set -eu
env --chdir=/inputs sha256sum --check --strict --quiet SHA256SUMS
mkdir -p /opt/nats/bin
tar --extract --file=/inputs/nats-server-v2.11.4-linux-amd64.tar.gz --strip-components=1 --no-same-owner \
  --directory=/opt/nats/bin
cp /inputs/LICENSE /opt/nats/LICENSE
find /opt/nats -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# builds: ucx 1.21.0 (BSD-3-Clause), autotools
FROM toolchain-ucx-x86_64 AS ucx-x86_64
ARG SOURCE_DATE_EPOCH
ENV CFLAGS="-O2 -g0"
ENV LDFLAGS="-Wl,-rpath,\$ORIGIN"
COPY --link --from=cuda-x86_64 /opt/cuda /opt/cuda
COPY --link --from=gdrcopy-x86_64 /opt/gdrcopy /opt/gdrcopy
WORKDIR /src/ucx
RUN --network=none \
    --mount=type=bind,from=source-ucx-x86_64,target=/sources \
    --mount=type=bind,from=patches-ucx-x86_64,target=/patches <<'EOF'
set -eu
env --chdir=/sources sha256sum --check --strict --quiet SHA256SUMS
tar --extract --file=/sources/ucx-1.21.0.tar --strip-components=1 --no-same-owner
patch --strip=1 --fuzz=0 --batch --forward --no-backup-if-mismatch --input=/patches/ucx/tab.patch
mkdir -p config/m4 config/aux
autoreconf --verbose --install
./contrib/configure-release --prefix=/opt/ucx --libdir=/opt/ucx/lib --enable-shared --disable-static \
  --disable-optimizations --enable-mt --with-verbs=/usr --with-cuda=/opt/cuda --with-gdrcopy=/opt/gdrcopy \
  --without-rocm --without-ze --without-java --without-go
make -j"$(nproc)"
sh -c 'make install-strip && echo '"'"'it is in'"'"' "$PWD"; echo '"'"'{ "jobs": '"$(nproc)"' }'"'"''
find /opt/ucx -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# builds: nixl 1.3.2 (Apache-2.0), python-wheel
FROM toolchain-cuda-x86_64 AS nixl-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=installer-x86_64,target=/installer \
    --mount=type=bind,from=wheels-nixl-x86_64,target=/wheels/0 <<'EOF'
set -eu
env --chdir=/installer sha256sum --check --strict --quiet SHA256SUMS
python3.13 -m venv --without-pip /opt/build-env
env PYTHONDONTWRITEBYTECODE=1 python3.13 -I /installer/pip-26.3-py3-none-any.whl/pip --isolated --python \
  /opt/build-env/bin/python install --no-cache-dir --no-index --no-deps --no-compile --only-binary=:all: \
  --root-user-action=ignore --disable-pip-version-check --no-input --require-hashes --find-links=/wheels/0 \
  --requirement=/wheels/0/requirements.txt
EOF
ENV PATH="/opt/build-env/bin:/opt/ucx/bin:/usr/bin:/bin"
COPY --link --from=cuda-x86_64 /opt/cuda /opt/cuda
COPY --link --from=ucx-x86_64 /opt/ucx /opt/ucx
WORKDIR /src/nixl
RUN --network=none \
    --mount=type=bind,from=source-nixl-x86_64,target=/sources <<'EOF'
set -eu
env --chdir=/sources sha256sum --check --strict --quiet SHA256SUMS
tar --extract --file=/sources/nixl-1.3.2.tar --strip-components=1 --no-same-owner
mkdir -p /wheels
meson setup build --prefix=/opt/nixl
ninja -C build -j "$(nproc)" install
python3 -m pip wheel --no-deps --wheel-dir=/wheels .
find /opt/nixl -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# os-packages for runtime
FROM base-x86_64 AS os-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-cuda_nixl_runtime-x86_64,target=/debs/0 \
    --mount=type=bind,from=debs-runtime-x86_64,target=/debs/1 \
    --mount=type=bind,from=debs-runtime_ucx-x86_64,target=/debs/2 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/1 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/2 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# python for runtime
FROM os-x86_64 AS python-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=installer-x86_64,target=/installer \
    --mount=type=bind,from=wheels-cuda_runtime-x86_64,target=/wheels/0 \
    --mount=type=bind,from=wheels-runtime-x86_64,target=/wheels/1 \
    --mount=type=bind,from=nixl-x86_64,source=/wheels,target=/built/nixl <<'EOF'
set -eu
env --chdir=/installer sha256sum --check --strict --quiet SHA256SUMS
python3.13 -m venv --without-pip /opt/venv
env PYTHONDONTWRITEBYTECODE=1 python3.13 -I /installer/pip-26.3-py3-none-any.whl/pip --isolated --python \
  /opt/venv/bin/python install --no-cache-dir --no-index --no-deps --no-compile --only-binary=:all: \
  --root-user-action=ignore --disable-pip-version-check --no-input --require-hashes --find-links=/wheels/0 \
  --find-links=/wheels/1 --requirement=/wheels/0/requirements.txt --requirement=/wheels/1/requirements.txt
env PYTHONDONTWRITEBYTECODE=1 python3.13 -I /installer/pip-26.3-py3-none-any.whl/pip --isolated --python \
  /opt/venv/bin/python install --no-cache-dir --no-index --no-deps --no-compile --only-binary=:all: \
  --root-user-action=ignore --disable-pip-version-check --no-input --find-links=/built/nixl nixl==1.3.2 \
  nixl-cu13==1.3.2
EOF

# The image of 1.4.2/debian-13/dynamo-x86_64: prefixes of builds, python, runtime
# It may still fetch or compile when it runs:
# - Models, where --model-path names one of a hub.
FROM os-x86_64 AS runtime-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none <<'EOF'
set -eu
sh -euc 'printf "%s\n" "$1" >> /etc/passwd' sh app:x:1000:0::/home/app:/usr/sbin/nologin
install --directory --owner=1000 --group=0 --mode=775 /home/app /home/app/.cache
EOF
COPY --link --from=gdrcopy-x86_64 /opt/gdrcopy /opt/gdrcopy
COPY --link --from=hwloc-x86_64 /opt/hwloc /opt/hwloc
COPY --link --from=nats-server-x86_64 /opt/nats /opt/nats
COPY --link --from=ucx-x86_64 /opt/ucx /opt/ucx
COPY --link --from=nixl-x86_64 /opt/nixl /opt/nixl
COPY --link --from=python-x86_64 /opt/venv /opt/venv
COPY --link --chmod=644 <<'EOF' /etc/ld.so.conf.d/00-components.conf
/opt/ucx/lib
/opt/gdrcopy/lib
/opt/hwloc/lib
EOF
RUN --network=none <<'EOF'
set -eu
ldconfig
rm -rf /var/cache/ldconfig/aux-cache
EOF
ENV FI_PROVIDER="efa;tcp"
ENV GREETING="it's \"\$HOME\" \\ and `more`"
ENV PATH="/opt/venv/bin:/opt/ucx/bin:/usr/local/bin:/usr/bin:/bin"
LABEL lockwright.lock="sha256:a85e2fa87127633d533b1a25715318c4c49a520d97152051e62e4e2c5cc88d2a"
LABEL lockwright.target="1.4.2/debian-13/dynamo-x86_64"
LABEL org.opencontainers.image.title="dynamo"
LABEL org.opencontainers.image.version="1.4.2"
LABEL org.opencontainers.image.created="2026-08-29T10:40:00Z"
LABEL org.opencontainers.image.revision="sha256:a85e2fa87127633d533b1a25715318c4c49a520d97152051e62e4e2c5cc88d2a"
LABEL org.opencontainers.image.base.name="registry.invalid/library/debian:13-slim"
LABEL org.opencontainers.image.base.digest="sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
LABEL org.opencontainers.image.licenses="Apache-2.0 AND BSD-3-Clause AND MIT"
ENV HOME="/home/app"
USER 1000:0
WORKDIR /home/app
ENTRYPOINT ["/opt/venv/bin/python", "-m"]
CMD ["dynamo.frontend", "--help"]

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
/check 'Library version: 1.21.0' /opt/ucx/bin/ucx_info -v
EOF
RUN --network=none <<'EOF'
set -eu
/check nixl python -c 'import nixl; print(nixl.__name__)'
EOF
RUN --network=none <<'EOF'
set -eu
/check '' python -c 'import ai_dynamo'
EOF
RUN --network=none <<'EOF'
set -eu
/check /opt/ucx/lib/libucp.so.0 sh -c 'ldconfig -p | grep libucp'
EOF

# images: registry.invalid/library/debian, tag 13-slim, for build and runtime
FROM registry.invalid/library/debian@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb AS base-aarch64

# os-packages for cuda, gdrcopy, hwloc, nixl, ucx
FROM scratch AS debs-cuda_and_4_more-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000012 /gcc_14.2.0-19_arm64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000012  gcc_14.2.0-19_arm64.deb
EOF

# os-packages for cuda, nixl, runtime
FROM scratch AS debs-cuda_nixl_runtime-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000017 /libpython3.13_3.13.5-2_arm64.deb
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000016 /python3_3.13.5-1_arm64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000017  libpython3.13_3.13.5-2_arm64.deb
0000000000000000000000000000000000000000000000000000000000000016  python3_3.13.5-1_arm64.deb
EOF

# os-packages for gdrcopy, hwloc, ucx
FROM scratch AS debs-gdrcopy_hwloc_ucx-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000013 /make_4.4.1-2_arm64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000013  make_4.4.1-2_arm64.deb
EOF

# os-packages for gdrcopy, ucx
FROM scratch AS debs-gdrcopy_ucx-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000015 /g++_14.2.0-19_arm64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000015  g++_14.2.0-19_arm64.deb
EOF

# os-packages for runtime
FROM scratch AS debs-runtime-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000019 /openssl_3.5.4-1~deb13u1_arm64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000019  openssl_3.5.4-1~deb13u1_arm64.deb
EOF

# os-packages for runtime, ucx
FROM scratch AS debs-runtime_ucx-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000018 /libibverbs1_56.1-1_arm64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000018  libibverbs1_56.1-1_arm64.deb
EOF

# os-packages for ucx
FROM scratch AS debs-ucx-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000014 /autoconf_2.72-3.1_all.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000014  autoconf_2.72-3.1_all.deb
EOF

# python for cuda, runtime
FROM scratch AS wheels-cuda_runtime-aarch64
COPY --link --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000f /nvidia_cuda_runtime-13.0.96-py3-none-manylinux_2_28_aarch64.whl
COPY --link --chmod=644 <<'EOF' /requirements.txt
nvidia-cuda-runtime==13.0.96 --hash=sha256:000000000000000000000000000000000000000000000000000000000000000f
EOF

# python for nixl
FROM scratch AS wheels-nixl-aarch64
COPY --link --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000d /meson-1.9.1-py3-none-any.whl
COPY --link --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000e /ninja-1.13.0-py3-none-manylinux_2_28_aarch64.whl
COPY --link --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000b /pip-26.3-py3-none-any.whl
COPY --link --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000c /setuptools-80.9.0-py3-none-any.whl
COPY --link --chmod=644 <<'EOF' /requirements.txt
meson==1.9.1 --hash=sha256:000000000000000000000000000000000000000000000000000000000000000d
ninja==1.13.0 --hash=sha256:000000000000000000000000000000000000000000000000000000000000000e
pip==26.3 --hash=sha256:000000000000000000000000000000000000000000000000000000000000000b
setuptools==80.9.0 --hash=sha256:000000000000000000000000000000000000000000000000000000000000000c
EOF

# python for runtime
FROM scratch AS wheels-runtime-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000011 /ai_dynamo-1.4.2-py3-none-any.whl
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000010 /torch-2.11.0+cu130-cp313-cp313-manylinux_2_28_aarch64.whl
COPY --link --chmod=644 <<'EOF' /requirements.txt
ai-dynamo==1.4.2 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000011
torch==2.11.0+cu130 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000010
EOF

# python for installer
FROM scratch AS installer-aarch64
COPY --link --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000b /pip-26.3-py3-none-any.whl
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
000000000000000000000000000000000000000000000000000000000000000b  pip-26.3-py3-none-any.whl
EOF

# archives of hwloc
FROM scratch AS inputs-hwloc-aarch64
COPY --link --chmod=644 --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000008 /hwloc-2.12.2.tar.bz2
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000008  hwloc-2.12.2.tar.bz2
EOF

# archives of nats-server
FROM scratch AS inputs-nats-server-aarch64
COPY --link --chmod=644 --from=store sha256/00/0000000000000000000000000000000000000000000000000000000000000a /LICENSE
COPY --link --chmod=644 --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000009 /nats-server-v2.11.4-linux-arm64.tar.gz
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
000000000000000000000000000000000000000000000000000000000000000a  LICENSE
0000000000000000000000000000000000000000000000000000000000000009  nats-server-v2.11.4-linux-arm64.tar.gz
EOF

# sources: gdrcopy 2.5.2, commit 0000000000000000000000000000000000000005
FROM scratch AS source-gdrcopy-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000006 /gdrcopy-2.5.2.tar
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000006  gdrcopy-2.5.2.tar
EOF

# sources: nixl 1.3.2, commit 0000000000000000000000000000000000000007
FROM scratch AS source-nixl-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000007 /nixl-1.3.2.tar
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000007  nixl-1.3.2.tar
EOF

# sources: ucx 1.21.0, commit 0000000000000000000000000000000000000001
FROM scratch AS source-ucx-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000005 /ucx-1.21.0.tar
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000005  ucx-1.21.0.tar
EOF

# os-packages for the builds of cuda, nixl
FROM base-aarch64 AS toolchain-cuda-aarch64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-cuda_and_4_more-aarch64,target=/debs/0 \
    --mount=type=bind,from=debs-cuda_nixl_runtime-aarch64,target=/debs/1 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/1 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# os-packages for the builds of gdrcopy
FROM base-aarch64 AS toolchain-gdrcopy-aarch64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-cuda_and_4_more-aarch64,target=/debs/0 \
    --mount=type=bind,from=debs-gdrcopy_hwloc_ucx-aarch64,target=/debs/1 \
    --mount=type=bind,from=debs-gdrcopy_ucx-aarch64,target=/debs/2 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/1 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/2 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# os-packages for the builds of hwloc
FROM base-aarch64 AS toolchain-hwloc-aarch64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-cuda_and_4_more-aarch64,target=/debs/0 \
    --mount=type=bind,from=debs-gdrcopy_hwloc_ucx-aarch64,target=/debs/1 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/1 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# os-packages for the builds of ucx
FROM base-aarch64 AS toolchain-ucx-aarch64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-cuda_and_4_more-aarch64,target=/debs/0 \
    --mount=type=bind,from=debs-gdrcopy_hwloc_ucx-aarch64,target=/debs/1 \
    --mount=type=bind,from=debs-gdrcopy_ucx-aarch64,target=/debs/2 \
    --mount=type=bind,from=debs-runtime_ucx-aarch64,target=/debs/3 \
    --mount=type=bind,from=debs-ucx-aarch64,target=/debs/4 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/1 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/2 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/3 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/4 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# patches of ucx
FROM scratch AS patches-ucx-aarch64
COPY --link --chmod=644 <<'EOF' /ucx/tab.patch
--- a/configure.ac
+++ b/configure.ac
@@ -1 +1 @@
-	old
+	new
EOF

# builds: cuda 13.0 (LicenseRef-NVIDIA-CUDA), prebuilt
FROM toolchain-cuda-aarch64 AS cuda-aarch64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=installer-aarch64,target=/installer \
    --mount=type=bind,from=wheels-cuda_runtime-aarch64,target=/wheels/0 <<'EOF'
set -eu
env --chdir=/installer sha256sum --check --strict --quiet SHA256SUMS
python3.13 -m venv --without-pip /opt/build-env
env PYTHONDONTWRITEBYTECODE=1 python3.13 -I /installer/pip-26.3-py3-none-any.whl/pip --isolated --python \
  /opt/build-env/bin/python install --no-cache-dir --no-index --no-deps --no-compile --only-binary=:all: \
  --root-user-action=ignore --disable-pip-version-check --no-input --require-hashes --find-links=/wheels/0 \
  --requirement=/wheels/0/requirements.txt
EOF
ENV PATH="/opt/build-env/bin:${PATH}"
WORKDIR /src/cuda
RUN --network=none <<'EOF'
set -eu
mkdir -p /opt/cuda
cp -a /opt/build-env/lib/python3.13/site-packages/nvidia/cu13/. /opt/cuda/
find /opt/cuda -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF
RUN --network=none <<'EOF'
set -eu
test -e /opt/cuda/include/cuda_runtime.h
EOF

# builds: gdrcopy 2.5.2 (MIT), make
FROM toolchain-gdrcopy-aarch64 AS gdrcopy-aarch64
ARG SOURCE_DATE_EPOCH
COPY --link --from=cuda-aarch64 /opt/cuda /opt/cuda
WORKDIR /src/gdrcopy
RUN --network=none \
    --mount=type=bind,from=source-gdrcopy-aarch64,target=/sources <<'EOF'
set -eu
env --chdir=/sources sha256sum --check --strict --quiet SHA256SUMS
tar --extract --file=/sources/gdrcopy-2.5.2.tar --strip-components=1 --no-same-owner
make -j"$(nproc)" prefix=/opt/gdrcopy CUDA=/opt/cuda lib
make prefix=/opt/gdrcopy CUDA=/opt/cuda lib_install
find /opt/gdrcopy -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# builds: hwloc 2.12.2 (BSD-3-Clause), autotools
FROM toolchain-hwloc-aarch64 AS hwloc-aarch64
ARG SOURCE_DATE_EPOCH
WORKDIR /src/hwloc
RUN --network=none \
    --mount=type=bind,from=inputs-hwloc-aarch64,target=/inputs <<'EOF'
set -eu
env --chdir=/inputs sha256sum --check --strict --quiet SHA256SUMS
tar --extract --file=/inputs/hwloc-2.12.2.tar.bz2 --strip-components=1 --no-same-owner
./configure --prefix=/opt/hwloc --disable-static
make -j"$(nproc)"
make install-strip
find /opt/hwloc -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# builds: nats-server 2.11.4 (Apache-2.0), prebuilt
FROM base-aarch64 AS nats-server-aarch64
ARG SOURCE_DATE_EPOCH
WORKDIR /src/nats-server
RUN --network=none \
    --mount=type=bind,from=inputs-nats-server-aarch64,target=/inputs <<'EOF'
set -eu
env --chdir=/inputs sha256sum --check --strict --quiet SHA256SUMS
mkdir -p /opt/nats/bin
tar --extract --file=/inputs/nats-server-v2.11.4-linux-arm64.tar.gz --strip-components=1 --no-same-owner \
  --directory=/opt/nats/bin
cp /inputs/LICENSE /opt/nats/LICENSE
find /opt/nats -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# builds: ucx 1.21.0 (BSD-3-Clause), autotools
FROM toolchain-ucx-aarch64 AS ucx-aarch64
ARG SOURCE_DATE_EPOCH
ENV CFLAGS="-O2 -g0"
ENV LDFLAGS="-Wl,-rpath,\$ORIGIN"
COPY --link --from=cuda-aarch64 /opt/cuda /opt/cuda
COPY --link --from=gdrcopy-aarch64 /opt/gdrcopy /opt/gdrcopy
WORKDIR /src/ucx
RUN --network=none \
    --mount=type=bind,from=source-ucx-aarch64,target=/sources \
    --mount=type=bind,from=patches-ucx-aarch64,target=/patches <<'EOF'
set -eu
env --chdir=/sources sha256sum --check --strict --quiet SHA256SUMS
tar --extract --file=/sources/ucx-1.21.0.tar --strip-components=1 --no-same-owner
patch --strip=1 --fuzz=0 --batch --forward --no-backup-if-mismatch --input=/patches/ucx/tab.patch
mkdir -p config/m4 config/aux
autoreconf --verbose --install
./contrib/configure-release --prefix=/opt/ucx --libdir=/opt/ucx/lib --enable-shared --disable-static \
  --disable-optimizations --enable-mt --with-verbs=/usr --with-cuda=/opt/cuda --with-gdrcopy=/opt/gdrcopy \
  --without-rocm --without-ze --without-java --without-go
make -j"$(nproc)"
sh -c 'make install-strip && echo '"'"'it is in'"'"' "$PWD"; echo '"'"'{ "jobs": '"$(nproc)"' }'"'"''
find /opt/ucx -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# builds: nixl 1.3.2 (Apache-2.0), python-wheel
FROM toolchain-cuda-aarch64 AS nixl-aarch64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=installer-aarch64,target=/installer \
    --mount=type=bind,from=wheels-nixl-aarch64,target=/wheels/0 <<'EOF'
set -eu
env --chdir=/installer sha256sum --check --strict --quiet SHA256SUMS
python3.13 -m venv --without-pip /opt/build-env
env PYTHONDONTWRITEBYTECODE=1 python3.13 -I /installer/pip-26.3-py3-none-any.whl/pip --isolated --python \
  /opt/build-env/bin/python install --no-cache-dir --no-index --no-deps --no-compile --only-binary=:all: \
  --root-user-action=ignore --disable-pip-version-check --no-input --require-hashes --find-links=/wheels/0 \
  --requirement=/wheels/0/requirements.txt
EOF
ENV PATH="/opt/build-env/bin:/opt/ucx/bin:/usr/bin:/bin"
COPY --link --from=cuda-aarch64 /opt/cuda /opt/cuda
COPY --link --from=ucx-aarch64 /opt/ucx /opt/ucx
WORKDIR /src/nixl
RUN --network=none \
    --mount=type=bind,from=source-nixl-aarch64,target=/sources <<'EOF'
set -eu
env --chdir=/sources sha256sum --check --strict --quiet SHA256SUMS
tar --extract --file=/sources/nixl-1.3.2.tar --strip-components=1 --no-same-owner
mkdir -p /wheels
meson setup build --prefix=/opt/nixl
ninja -C build -j "$(nproc)" install
python3 -m pip wheel --no-deps --wheel-dir=/wheels .
find /opt/nixl -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# os-packages for runtime
FROM base-aarch64 AS os-aarch64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-cuda_nixl_runtime-aarch64,target=/debs/0 \
    --mount=type=bind,from=debs-runtime-aarch64,target=/debs/1 \
    --mount=type=bind,from=debs-runtime_ucx-aarch64,target=/debs/2 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/1 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/debs/2 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# python for runtime
FROM os-aarch64 AS python-aarch64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=installer-aarch64,target=/installer \
    --mount=type=bind,from=wheels-cuda_runtime-aarch64,target=/wheels/0 \
    --mount=type=bind,from=wheels-runtime-aarch64,target=/wheels/1 \
    --mount=type=bind,from=nixl-aarch64,source=/wheels,target=/built/nixl <<'EOF'
set -eu
env --chdir=/installer sha256sum --check --strict --quiet SHA256SUMS
python3.13 -m venv --without-pip /opt/venv
env PYTHONDONTWRITEBYTECODE=1 python3.13 -I /installer/pip-26.3-py3-none-any.whl/pip --isolated --python \
  /opt/venv/bin/python install --no-cache-dir --no-index --no-deps --no-compile --only-binary=:all: \
  --root-user-action=ignore --disable-pip-version-check --no-input --require-hashes --find-links=/wheels/0 \
  --find-links=/wheels/1 --requirement=/wheels/0/requirements.txt --requirement=/wheels/1/requirements.txt
env PYTHONDONTWRITEBYTECODE=1 python3.13 -I /installer/pip-26.3-py3-none-any.whl/pip --isolated --python \
  /opt/venv/bin/python install --no-cache-dir --no-index --no-deps --no-compile --only-binary=:all: \
  --root-user-action=ignore --disable-pip-version-check --no-input --find-links=/built/nixl nixl==1.3.2 \
  nixl-cu13==1.3.2
EOF

# The image of 1.4.2/debian-13/dynamo-aarch64: prefixes of builds, python, runtime
# It may still fetch or compile when it runs:
# - Models, where --model-path names one of a hub.
FROM os-aarch64 AS runtime-aarch64
ARG SOURCE_DATE_EPOCH
RUN --network=none <<'EOF'
set -eu
sh -euc 'printf "%s\n" "$1" >> /etc/passwd' sh app:x:1000:0::/home/app:/usr/sbin/nologin
install --directory --owner=1000 --group=0 --mode=775 /home/app /home/app/.cache
EOF
COPY --link --from=gdrcopy-aarch64 /opt/gdrcopy /opt/gdrcopy
COPY --link --from=hwloc-aarch64 /opt/hwloc /opt/hwloc
COPY --link --from=nats-server-aarch64 /opt/nats /opt/nats
COPY --link --from=ucx-aarch64 /opt/ucx /opt/ucx
COPY --link --from=nixl-aarch64 /opt/nixl /opt/nixl
COPY --link --from=python-aarch64 /opt/venv /opt/venv
COPY --link --chmod=644 <<'EOF' /etc/ld.so.conf.d/00-components.conf
/opt/ucx/lib
/opt/gdrcopy/lib
/opt/hwloc/lib
EOF
RUN --network=none <<'EOF'
set -eu
ldconfig
rm -rf /var/cache/ldconfig/aux-cache
EOF
ENV FI_PROVIDER="efa;tcp"
ENV GREETING="it's \"\$HOME\" \\ and `more`"
ENV PATH="/opt/venv/bin:/opt/ucx/bin:/usr/local/bin:/usr/bin:/bin"
LABEL lockwright.lock="sha256:a681aa4e8a4ecf672aedfadd4abb7350a958b1e59afee67cebf7456d73d2d301"
LABEL lockwright.target="1.4.2/debian-13/dynamo-aarch64"
LABEL org.opencontainers.image.title="dynamo"
LABEL org.opencontainers.image.version="1.4.2"
LABEL org.opencontainers.image.created="2026-08-29T10:40:00Z"
LABEL org.opencontainers.image.revision="sha256:a681aa4e8a4ecf672aedfadd4abb7350a958b1e59afee67cebf7456d73d2d301"
LABEL org.opencontainers.image.base.name="registry.invalid/library/debian:13-slim"
LABEL org.opencontainers.image.base.digest="sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
LABEL org.opencontainers.image.licenses="Apache-2.0 AND BSD-3-Clause AND MIT"
ENV HOME="/home/app"
USER 1000:0
WORKDIR /home/app
ENTRYPOINT ["/opt/venv/bin/python", "-m"]
CMD ["dynamo.frontend", "--help"]

# checks of builds and runtime: each must succeed and print what is expected
FROM runtime-aarch64 AS check-aarch64
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
/check 'Library version: 1.21.0' /opt/ucx/bin/ucx_info -v
EOF
RUN --network=none <<'EOF'
set -eu
/check nixl python -c 'import nixl; print(nixl.__name__)'
EOF
RUN --network=none <<'EOF'
set -eu
/check '' python -c 'import ai_dynamo'
EOF
RUN --network=none <<'EOF'
set -eu
/check /opt/ucx/lib/libucp.so.0 sh -c 'ldconfig -p | grep libucp'
EOF

# linux/amd64 is x86_64.
FROM check-x86_64 AS check-amd64

# linux/arm64 is aarch64.
FROM check-aarch64 AS check-arm64

# The image with its checks passed.
FROM check-${TARGETARCH} AS check

# linux/amd64 is x86_64.
FROM runtime-x86_64 AS runtime-amd64

# linux/arm64 is aarch64.
FROM runtime-aarch64 AS runtime-arm64

# The image, of the platform that is built.
FROM runtime-${TARGETARCH} AS runtime

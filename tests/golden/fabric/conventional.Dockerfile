# What a team would write by hand for lock/1.4.2/debian-13/dynamo-x86_64.toml; `scripts/benchmarks/bench image` wrote it.
ARG BASE

FROM ${BASE} AS builder
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        autoconf=2.72-3.1 \
        ca-certificates \
        g++=14.2.0-19 \
        gcc=14.2.0-19 \
        git \
        libibverbs1=56.1-1 \
        libpython3.13=3.13.5-2 \
        make=4.4.1-2 \
        python3-venv \
        python3=3.13.5-1 \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/*

# cuda 13.0
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/run/secrets/ca \
    python3.13 -m venv --clear /opt/build-env \
    && /opt/build-env/bin/pip install --no-cache-dir --no-deps pip==26.3 \
    && /opt/build-env/bin/pip install --no-cache-dir --no-deps nvidia-cuda-runtime==13.0.96
RUN <<'EOF'
set -eu
mkdir -p /src/cuda
cd /src/cuda
export PATH="/opt/build-env/bin:$PATH"
mkdir -p /opt/cuda
cp -a /opt/build-env/lib/python3.13/site-packages/nvidia/cu13/. /opt/cuda/
EOF

# gdrcopy 2.5.2
RUN --mount=type=secret,id=git,target=/etc/gitconfig --mount=type=secret,id=ca,target=/run/secrets/ca <<'EOF'
set -eu
git clone --depth=1 --branch=v2.5.2 https://git.invalid/gdrcopy.git /src/gdrcopy
cd /src/gdrcopy
make -j"$(nproc)" prefix=/opt/gdrcopy CUDA=/opt/cuda lib
make prefix=/opt/gdrcopy CUDA=/opt/cuda lib_install
EOF

# hwloc 2.12.2
ADD https://mirror.invalid/software/hwloc/v2.12/hwloc-2.12.2.tar.bz2 /inputs/hwloc-2.12.2.tar.bz2
RUN <<'EOF'
set -eu
mkdir -p /src/hwloc
cd /src/hwloc
tar -xf /inputs/hwloc-2.12.2.tar.bz2 --strip-components=1 --no-same-owner
./configure --prefix=/opt/hwloc --disable-static
make -j"$(nproc)"
make install-strip
EOF

# nats-server 2.11.4
ADD https://releases.invalid/nats-io/nats-server/raw/v2.11.4/LICENSE /inputs/LICENSE
ADD https://releases.invalid/nats-io/nats-server/releases/download/v2.11.4/nats-server-v2.11.4-linux-amd64.tar.gz /inputs/nats-server-v2.11.4-linux-amd64.tar.gz
RUN <<'EOF'
set -eu
mkdir -p /src/nats-server
cd /src/nats-server
mkdir -p /opt/nats/bin
tar --extract --file=/inputs/nats-server-v2.11.4-linux-amd64.tar.gz --strip-components=1 --no-same-owner \
  --directory=/opt/nats/bin
cp /inputs/LICENSE /opt/nats/LICENSE
EOF

# ucx 1.21.0
COPY --link --chmod=644 <<'EOF' /patches/ucx/tab.patch
--- a/configure.ac
+++ b/configure.ac
@@ -1 +1 @@
-	old
+	new
EOF
RUN --mount=type=secret,id=git,target=/etc/gitconfig --mount=type=secret,id=ca,target=/run/secrets/ca <<'EOF'
set -eu
git clone --depth=1 --branch=v1.21.0 https://git.invalid/openucx/ucx.git /src/ucx
cd /src/ucx
git submodule update --init --recursive --depth=1 -- external/gpunetio
patch --strip=1 --fuzz=0 --input=/patches/ucx/tab.patch
export 'CFLAGS=-O2 -g0'
export 'LDFLAGS=-Wl,-rpath,$ORIGIN'
mkdir -p config/m4 config/aux
autoreconf --verbose --install
./contrib/configure-release --prefix=/opt/ucx --libdir=/opt/ucx/lib --enable-shared --disable-static \
  --disable-optimizations --enable-mt --with-verbs=/usr --with-cuda=/opt/cuda --with-gdrcopy=/opt/gdrcopy \
  --without-rocm --without-ze --without-java --without-go
make -j"$(nproc)"
sh -c 'make install-strip && echo '"'"'it is in'"'"' "$PWD"; echo '"'"'{ "jobs": '"$(nproc)"' }'"'"''
EOF

# nixl 1.3.2
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/run/secrets/ca \
    python3.13 -m venv --clear /opt/build-env \
    && /opt/build-env/bin/pip install --no-cache-dir --no-deps pip==26.3 \
    && /opt/build-env/bin/pip install --no-cache-dir --no-deps meson==1.9.1 ninja==1.13.0 pip==26.3 setuptools==80.9.0
RUN --mount=type=secret,id=git,target=/etc/gitconfig --mount=type=secret,id=ca,target=/run/secrets/ca <<'EOF'
set -eu
git clone --depth=1 --branch=v1.3.2 https://git.invalid/nixl.git /src/nixl
cd /src/nixl
export PATH="/opt/build-env/bin:/opt/ucx/bin:/usr/bin:/bin"
mkdir -p /wheels
meson setup build --prefix=/opt/nixl
ninja -C build -j "$(nproc)" install
python3 -m pip wheel --no-deps --wheel-dir=/wheels .
EOF

# the virtual environment
COPY requirements.txt /requirements.txt
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/run/secrets/ca \
    python3.13 -m venv --clear /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps pip==26.3 \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps -r /requirements.txt /wheels/*.whl

FROM ${BASE} AS runtime
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libibverbs1=56.1-1 \
        libpython3.13=3.13.5-2 \
        openssl=3.5.4-1~deb13u1 \
        python3=3.13.5-1 \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/*
COPY --from=builder /opt/gdrcopy /opt/gdrcopy
COPY --from=builder /opt/hwloc /opt/hwloc
COPY --from=builder /opt/nats /opt/nats
COPY --from=builder /opt/ucx /opt/ucx
COPY --from=builder /opt/nixl /opt/nixl
COPY --from=builder /opt/venv /opt/venv
RUN printf '%s\n' /opt/ucx/lib /opt/gdrcopy/lib /opt/hwloc/lib > /etc/ld.so.conf.d/00-components.conf && ldconfig
ENV FI_PROVIDER="efa;tcp"
ENV GREETING="it's \"\$HOME\" \\ and `more`"
ENV PATH="/opt/venv/bin:/opt/ucx/bin:/usr/local/bin:/usr/bin:/bin"
ENTRYPOINT ["/opt/venv/bin/python", "-m"]
CMD ["dynamo.frontend", "--help"]

FROM runtime AS check
RUN <<'EOF'
set -eu
/opt/ucx/bin/ucx_info -v 2>&1 | grep -F -- 'Library version: 1.21.0'
EOF
RUN <<'EOF'
set -eu
python -c 'import nixl; print(nixl.__name__)' 2>&1 | grep -F -- nixl
EOF
RUN <<'EOF'
set -eu
python -c 'import ai_dynamo'
EOF
RUN <<'EOF'
set -eu
sh -c 'ldconfig -p | grep libucp' 2>&1 | grep -F -- /opt/ucx/lib/libucp.so.0
EOF

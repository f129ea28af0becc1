# What a team would write by hand for lock/1.4.2/ubuntu-24.04-python-3.12/dynamo-x86_64.toml; `scripts/benchmarks/bench image` wrote it.
ARG BASE

FROM ${BASE} AS builder
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        gcc=13.2.0-7 \
        libffi8=3.4.6-1 \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/*

# cpython 3.12.6
ADD https://sources.invalid/python/3.12.6/Python-3.12.6.tgz /inputs/Python-3.12.6.tgz
RUN <<'EOF'
set -eu
mkdir -p /src/cpython
cd /src/cpython
tar -xf /inputs/Python-3.12.6.tgz --strip-components=1 --no-same-owner
./configure --prefix=/opt/python
make -j"$(nproc)"
make install
EOF

# tool 2.0
ADD https://releases.invalid/tool/tool-2.0.tar.gz /inputs/tool-2.0.tar.gz
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/run/secrets/ca \
    /opt/python/bin/python3.12 -m venv --clear /opt/build-env \
    && /opt/build-env/bin/pip install --no-cache-dir --no-deps pip==26.3 \
    && /opt/build-env/bin/pip install --no-cache-dir --no-deps meson==1.9.1
RUN <<'EOF'
set -eu
mkdir -p /src/tool
cd /src/tool
export PATH="/opt/build-env/bin:$PATH"
tar -xf /inputs/tool-2.0.tar.gz --strip-components=1 --no-same-owner
mkdir -p /wheels
python3 -m mesonbuild.mesonmain --version
EOF

# the virtual environment
COPY requirements.txt /requirements.txt
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=ca,target=/run/secrets/ca \
    /opt/python/bin/python3.12 -m venv --clear /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps pip==26.3 \
    && /opt/venv/bin/pip install --no-cache-dir --no-deps -r /requirements.txt /wheels/*.whl

FROM ${BASE} AS runtime
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libc6=2.39-0ubuntu8 \
        libffi8=3.4.6-1 \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/*
COPY --from=builder /opt/python /opt/python
COPY --from=builder /opt/venv /opt/venv
ENV PATH="/opt/venv/bin:${PATH}"
ENV A="1"

FROM runtime AS check
RUN <<'EOF'
set -eu
/opt/python/bin/python3.12 -c 'import ssl'
EOF

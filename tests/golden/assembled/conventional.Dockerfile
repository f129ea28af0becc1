# What a team would write by hand for lock/1.4.2/debian-13-assembled/dynamo-aarch64.toml; `scripts/benchmarks/bench image` wrote it.
ARG BASE

FROM ${BASE} AS builder
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates \
        git \
        make=4.4.1-2 \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/*

# tool 1.0
RUN --mount=type=secret,id=git,target=/etc/gitconfig --mount=type=secret,id=ca,target=/run/secrets/ca <<'EOF'
set -eu
git clone --depth=1 --branch=v1.0 https://git.invalid/tool.git /src/tool
cd /src/tool
make prefix=/opt/tool install
EOF

FROM ${BASE} AS runtime
COPY --from=builder /opt/tool /opt/tool
CMD ["sh"]

FROM runtime AS check
RUN <<'EOF'
set -eu
/opt/tool/bin/tool --version 2>&1 | grep -F -- 1.0
EOF

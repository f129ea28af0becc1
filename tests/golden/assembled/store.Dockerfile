# Rendered by lockwright: change the recipes and locks, not this file.
#   lock/1.4.2/debian-13-assembled/dynamo-aarch64.toml sha256:4d35957fa1beb114e067a8e7111518cbac486c7273096fc7d7462f4c75f6d74c
#
# To build it so that everyone gets the same digest, after `python -m builder fetch`:
#   python -m builder build --framework dynamo --release 1.4.2 --platform debian-13-assembled
# or, with docker-bake.json beside this file and the store's folder in STORE:
#   STORE=… docker buildx bake
# A bare `docker build --build-context store=DIR` works too, but its digest is its own: it lacks
# SOURCE_DATE_EPOCH and the exporter's rewrite-timestamp. The target `check` runs the checks.
# Every input comes from the store.

# Replaced by the build context of this name; empty without it, so that nothing is pulled.
FROM scratch AS store

# images: debian-13-base, for build and runtime: its tar
FROM scratch AS base-tar-aarch64
COPY --link --from=store sha256/ee/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee /base.tar
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee  base.tar
EOF

# images: debian-13-base, for build and runtime: its os-packages, unpacked in the tar, are configured
FROM scratch AS base-configured-aarch64
ADD --link sha256/ee/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee /
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=base-tar-aarch64,target=/base <<'EOF'
set -eu
env --chdir=/base sha256sum --check --strict --quiet SHA256SUMS
export DEBCONF_NONINTERACTIVE_SEEN=true DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C
umask 022
for script in /var/lib/dpkg/info/*.preinst; do
  name="$(basename "$script" .preinst)"
  arch="$(dpkg-query --show --showformat='${Architecture}' "$name")"
  mkdir /var/lib/dpkg/tmp.ci
  dpkg-query --status "$name" > /var/lib/dpkg/tmp.ci/control
  cp "$script" /var/lib/dpkg/tmp.ci/preinst
  [ ! -e "${script%.preinst}.templates" ] || \
    cp "${script%.preinst}.templates" /var/lib/dpkg/tmp.ci/templates
  env DPKG_ADMINDIR=/var/lib/dpkg DPKG_ROOT= \
    DPKG_MAINTSCRIPT_ARCH="$arch" DPKG_MAINTSCRIPT_NAME=preinst \
    DPKG_MAINTSCRIPT_PACKAGE="${name%:*}" DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 \
    /var/lib/dpkg/tmp.ci/preinst install
  rm -r /var/lib/dpkg/tmp.ci
done
dpkg --configure --pending
found="$(dpkg --audit && dpkg --verify)" || found="${found:-dpkg cannot check itself}"
[ -z "$found" ] || { printf '%s\n' "$found" >&2; exit 1; }
rm -f /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/log/alternatives.log \
  /var/log/dpkg.log
EOF

# images: debian-13-base, for build and runtime
FROM scratch AS base-aarch64
COPY --link --from=base-configured-aarch64 / /

# os-packages for tool
FROM scratch AS debs-tool-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000005 /make_4.4.1-2_arm64.deb
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000005  make_4.4.1-2_arm64.deb
EOF

# sources: tool 1.0, commit 0000000000000000000000000000000000000001
FROM scratch AS source-tool-aarch64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000003 /tool-1.0.tar
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000003  tool-1.0.tar
EOF

# os-packages for the builds of tool
FROM base-aarch64 AS toolchain-tool-aarch64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=debs-tool-aarch64,target=/debs/0 <<'EOF'
set -eu
env --chdir=/debs/0 sha256sum --check --strict --quiet SHA256SUMS
env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends /debs/*/*.deb
rm -rf /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/apt/lists/* \
  /var/lib/dpkg/*-old /var/log/alternatives.log /var/log/apt /var/log/dpkg.log
find / -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# builds: tool 1.0 (MIT), make
FROM toolchain-tool-aarch64 AS tool-aarch64
ARG SOURCE_DATE_EPOCH
WORKDIR /src/tool
RUN --network=none \
    --mount=type=bind,from=source-tool-aarch64,target=/sources <<'EOF'
set -eu
env --chdir=/sources sha256sum --check --strict --quiet SHA256SUMS
tar --extract --file=/sources/tool-1.0.tar --strip-components=1 --no-same-owner
make prefix=/opt/tool install
find /opt/tool -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# The image of 1.4.2/debian-13-assembled/dynamo-aarch64: prefixes of builds, python, runtime
FROM base-aarch64 AS runtime-aarch64
ARG SOURCE_DATE_EPOCH
COPY --link --from=tool-aarch64 /opt/tool /opt/tool
LABEL lockwright.lock="sha256:4d35957fa1beb114e067a8e7111518cbac486c7273096fc7d7462f4c75f6d74c"
LABEL lockwright.target="1.4.2/debian-13-assembled/dynamo-aarch64"
LABEL org.opencontainers.image.title="dynamo"
LABEL org.opencontainers.image.version="1.4.2"
LABEL org.opencontainers.image.created="2026-08-29T10:40:00Z"
LABEL org.opencontainers.image.revision="sha256:4d35957fa1beb114e067a8e7111518cbac486c7273096fc7d7462f4c75f6d74c"
LABEL org.opencontainers.image.licenses="MIT"
CMD ["sh"]

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
/check 1.0 /opt/tool/bin/tool --version
EOF

# linux/amd64 has no lock here: building for it stops at this missing file.
FROM scratch AS check-amd64
COPY --link --from=store no-lock-for-x86_64 /

# linux/arm64 is aarch64.
FROM check-aarch64 AS check-arm64

# The image with its checks passed.
FROM check-${TARGETARCH} AS check

# linux/amd64 has no lock here: building for it stops at this missing file.
FROM scratch AS runtime-amd64
COPY --link --from=store no-lock-for-x86_64 /

# linux/arm64 is aarch64.
FROM runtime-aarch64 AS runtime-arm64

# The image, of the platform that is built.
FROM runtime-${TARGETARCH} AS runtime

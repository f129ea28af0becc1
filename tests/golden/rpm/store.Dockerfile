# Rendered by lockwright: change the recipes and locks, not this file.
#   lock/1.4.2/amazonlinux-2023/dynamo-x86_64.toml sha256:f6feb542d730d2b9507ee8801588821c2ab18ffcced41199e0f47e4f527f2c50
#
# To build it so that everyone gets the same digest, after `python -m builder fetch`:
#   python -m builder build --framework dynamo --release 1.4.2 --platform amazonlinux-2023
# or, with docker-bake.json beside this file and the store's folder in STORE:
#   STORE=… docker buildx bake
# A bare `docker build --build-context store=DIR` works too, but its digest is its own: it lacks
# SOURCE_DATE_EPOCH and the exporter's rewrite-timestamp. The target `check` runs the checks.
# Every input comes from the store.

# Replaced by the build context of this name; empty without it, so that nothing is pulled.
FROM scratch AS store

# images: registry.invalid/library/amazonlinux, tag 2023.12.20260831.0, for build and runtime
FROM registry.invalid/library/amazonlinux@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc AS base-x86_64

# os-packages for runtime
FROM scratch AS rpms-runtime-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000008 /tzdata-2026c-1.noarch.rpm
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000008  tzdata-2026c-1.noarch.rpm
EOF

# os-packages for runtime, tool
FROM scratch AS rpms-runtime_tool-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000007 /libstdc++-devel-11.5.0~rc1-5.x86_64.rpm
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000007  libstdc++-devel-11.5.0~rc1-5.x86_64.rpm
EOF

# os-packages for tool
FROM scratch AS rpms-tool-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000006 /gcc-11.5.0-5.amzn2023.0.5.x86_64.rpm
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000006  gcc-11.5.0-5.amzn2023.0.5.x86_64.rpm
EOF

# python for installer
FROM scratch AS installer-x86_64
COPY --link --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000005 /pip-26.2.1-py3-none-any.whl
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000005  pip-26.2.1-py3-none-any.whl
EOF

# archives of tool
FROM scratch AS inputs-tool-x86_64
COPY --link --chmod=644 --from=store sha256/00/00000000000000000000000000000000000000000000000000000000000009 /tool-1.0.tar.gz
COPY --link --chmod=644 <<'EOF' /SHA256SUMS
0000000000000000000000000000000000000000000000000000000000000009  tool-1.0.tar.gz
EOF

# Sets times of installation in the rpm database back to SOURCE_DATE_EPOCH.
FROM scratch AS rpm-times-x86_64
COPY --link --chmod=644 <<'EOF' /clamp.py
# No time of installation in the rpm database is later than SOURCE_DATE_EPOCH, where that is set.
import os
import sqlite3
import struct
import subprocess
import sys

latest = int(os.environ.get("SOURCE_DATE_EPOCH") or 2**32 - 1)
told = subprocess.run(["rpm", "--eval", "%{_dbpath}"], check=True, stdout=subprocess.PIPE, text=True)
folder = told.stdout.strip()
database = sqlite3.connect("file:" + folder + "/rpmdb.sqlite?mode=rw", uri=True, isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
for number, blob in database.execute("SELECT hnum, blob FROM Packages").fetchall():
    header = bytearray(blob)
    entries, _ = struct.unpack_from(">II", header)
    for entry in range(entries):
        tag, kind, offset, count = struct.unpack_from(">IIiI", header, 8 + 16 * entry)
        if tag in (1008, 1128) and (kind, count) == (4, 1):
            place = 8 + 16 * entries + offset
            (time,) = struct.unpack_from(">I", header, place)
            struct.pack_into(">I", header, place, min(time, latest))
    database.execute("UPDATE Packages SET blob = ? WHERE hnum = ?", (bytes(header), number))
for row, key in database.execute("SELECT rowid, key FROM Installtid").fetchall():
    time = min(int.from_bytes(key, sys.byteorder), latest)
    database.execute("UPDATE Installtid SET key = ? WHERE rowid = ?", (time.to_bytes(4, sys.byteorder), row))
database.execute("COMMIT")
database.execute("VACUUM")
database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
database.close()
EOF

# os-packages for the builds of tool
FROM base-x86_64 AS toolchain-tool-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=rpms-runtime_tool-x86_64,target=/rpms/0 \
    --mount=type=bind,from=rpms-tool-x86_64,target=/rpms/1 \
    --mount=type=bind,from=rpm-times-x86_64,target=/rpm-times <<'EOF'
set -eu
env --chdir=/rpms/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/rpms/1 sha256sum --check --strict --quiet SHA256SUMS
rpm --upgrade --verbose --nosignature --oldpackage /rpms/*/*.rpm
python3 -I -B /rpm-times/clamp.py
rm -rf /var/cache/dnf /var/cache/ldconfig/aux-cache /var/cache/yum
EOF

# builds: tool 1.0 (MIT), make
FROM toolchain-tool-x86_64 AS tool-x86_64
ARG SOURCE_DATE_EPOCH
WORKDIR /src/tool
RUN --network=none \
    --mount=type=bind,from=inputs-tool-x86_64,target=/inputs <<'EOF'
set -eu
env --chdir=/inputs sha256sum --check --strict --quiet SHA256SUMS
tar --extract --file=/inputs/tool-1.0.tar.gz --strip-components=1 --no-same-owner
make install
find /opt/tool -xdev -type d -name __pycache__ -prune -exec rm -rf '{}' +
EOF

# os-packages for runtime
FROM base-x86_64 AS os-x86_64
ARG SOURCE_DATE_EPOCH
RUN --network=none \
    --mount=type=bind,from=rpms-runtime-x86_64,target=/rpms/0 \
    --mount=type=bind,from=rpms-runtime_tool-x86_64,target=/rpms/1 \
    --mount=type=bind,from=rpm-times-x86_64,target=/rpm-times <<'EOF'
set -eu
env --chdir=/rpms/0 sha256sum --check --strict --quiet SHA256SUMS
env --chdir=/rpms/1 sha256sum --check --strict --quiet SHA256SUMS
rpm --upgrade --verbose --nosignature --oldpackage /rpms/*/*.rpm
python3 -I -B /rpm-times/clamp.py
rm -rf /var/cache/dnf /var/cache/ldconfig/aux-cache /var/cache/yum
EOF

# The image of 1.4.2/amazonlinux-2023/dynamo-x86_64: prefixes of builds, python, runtime
FROM os-x86_64 AS runtime-x86_64
ARG SOURCE_DATE_EPOCH
COPY --link --from=tool-x86_64 /opt/tool /opt/tool
ENV A="1"
LABEL lockwright.lock="sha256:f6feb542d730d2b9507ee8801588821c2ab18ffcced41199e0f47e4f527f2c50"
LABEL lockwright.target="1.4.2/amazonlinux-2023/dynamo-x86_64"
LABEL org.opencontainers.image.title="dynamo"
LABEL org.opencontainers.image.version="1.4.2"
LABEL org.opencontainers.image.created="2026-08-29T10:40:00Z"
LABEL org.opencontainers.image.revision="sha256:f6feb542d730d2b9507ee8801588821c2ab18ffcced41199e0f47e4f527f2c50"
LABEL org.opencontainers.image.base.name="registry.invalid/library/amazonlinux:2023.12.20260831.0"
LABEL org.opencontainers.image.base.digest="sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
LABEL org.opencontainers.image.licenses="MIT"

# checks of builds and runtime: each must succeed and print what is expected
FROM runtime-x86_64 AS check-x86_64

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

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.errors import BuilderError, DigestMismatchError, FetchError, LockError
from builder.fetch.download import fetch_all
from builder.lockfile.lock import OsPackage
from builder.model.digest import Sha256
from builder.pin.assembled import store_base
from builder.render.bases import configure_base
from builder.render.fetches import store_path
from builder.render.instructions import File, Run, Unpack
from builder.resolve.debian.closure import base_set
from builder.resolve.debian.index import parse_packages
from builder.resolve.debian.universe import PackagesIndex, Universe
from builder.rootfs.deb import LockedDeb
from builder.store.arriving import Request
from builder.store.store import Store
from tests.rootfs.tiny_debs import deb, member

EPOCH = 1763337600


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def row(store: Store, package: LockedDeb, *uses: str) -> OsPackage:
    data = package.path.read_bytes()
    return OsPackage(
        name=package.name,
        version=package.version,
        arch=package.arch,
        file=f"pool/{package.path.name}",
        size=len(data),
        sha256=Sha256(store.add_bytes(data)),
        origin="debian",
        for_=uses or ("base",),
    )


@pytest.fixture
def rows(store: Store, tmp_path: Path) -> tuple[OsPackage, ...]:
    return (
        row(store, deb(tmp_path, "files", [member("./etc/x", b"x")])),
        row(store, deb(tmp_path, "tool", [member("./bin/x", b"x")], arch="all"), "base", "ucx"),
        row(store, deb(tmp_path, "later", [member("./etc/x", b"clash")]), "runtime"),
    )


def refused(error: type[BuilderError], rows: tuple[OsPackage, ...], store: Store, **options: Sha256) -> str:
    before = set(store.digests())
    with pytest.raises(error) as caught:
        store_base(rows, store, **options)
    assert set(store.digests()) == before
    return str(caught.value)


def test_the_tar_is_in_the_store_and_depends_on_the_base_alone(
    store: Store, rows: tuple[OsPackage, ...]
) -> None:
    digest = store_base(rows, store)
    assert store.verify(digest) % 512 == 0
    assert store_base(rows[1::-1], store, expected=digest) == digest


def test_another_tar_than_the_locked_one_is_not_kept(store: Store, rows: tuple[OsPackage, ...]) -> None:
    message = refused(DigestMismatchError, rows, store, expected=Sha256("0" * 64))
    assert re.fullmatch(
        r"assembled base for amd64: the tar of 2 packages has sha256 [0-9a-f]{64}, locked is 0{64}", message
    )


def test_a_missing_or_damaged_package_is_named(store: Store, rows: tuple[OsPackage, ...]) -> None:
    file = store.path(rows[0].sha256)
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert refused(DigestMismatchError, rows, store).startswith("files 1.0: ")
    file.unlink()
    assert refused(FetchError, rows, store) == f"files 1.0: sha256:{rows[0].sha256}: is not in the store"


def test_a_base_has_one_architecture(store: Store, rows: tuple[OsPackage, ...], tmp_path: Path) -> None:
    assert refused(LockError, rows[2:], store) == (
        "os-packages: the packages for base are of 0 architectures, not of one"
    )
    other = row(store, deb(tmp_path, "other", arch="arm64"))
    assert "of 2 architectures" in refused(LockError, (*rows, other), store)


# --- the real thing: this machine's Debian, configured by BuildKit ---


def indices() -> Iterator[tuple[PackagesIndex, str]]:
    """Yield the package indexes that apt has, and the address of their archive."""
    fmt = "$(ORIGIN)|$(LABEL)|$(SUITE)|$(REPO_URI)|$(FILENAME)"
    command = ["apt-get", "indextargets", "Created-By: Packages", "--format", fmt]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for number, line in enumerate(listed.splitlines()):
        origin, label, suite, address, file = line.split("|")
        if origin == "Debian" and label in ("Debian", "Debian-Security"):
            read = ["/usr/lib/apt/apt-helper", "cat-file", file]
            data = subprocess.run(read, capture_output=True, check=True).stdout
            yield PackagesIndex(label=f"{number} {suite}", stanzas=parse_packages(data, place=suite)), address


def real_rows(store: Store) -> tuple[OsPackage, ...]:
    """Return the rows of a base of this machine's own Debian, fetched."""
    found = list(indices())
    if not found:
        pytest.skip("this machine's apt has no Debian archive")
    arch = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    universe = Universe.of(arch.stdout.strip(), [index for index, _ in found])
    addresses = {index.label: address for index, address in found}
    chosen = base_set(universe)
    requests = [
        Request(
            sha256=c.sha256,
            size=c.size,
            urls=(f"{addresses[c.index].rstrip('/')}/{c.filename}",),
            label=c.name,
        )
        for c in chosen
    ]
    fetch_all(store, requests, jobs=4)
    return tuple(
        OsPackage(
            name=c.name,
            version=c.version,
            arch=c.arch,
            file=c.filename,
            size=c.size,
            sha256=Sha256(c.sha256),
            origin="debian",
            for_=("base",),
        )
        for c in chosen
    )


def built(context: Path, dockerfile: Path, number: int) -> str:
    """Build without cache and return the digest of the manifest."""
    output = f"type=oci,dest={context}/{number}.tar,rewrite-timestamp=true"
    command = ["docker", "buildx", "build", "--progress=plain", "--no-cache", f"--output={output}"]
    command += [
        f"--build-arg=SOURCE_DATE_EPOCH={EPOCH}",
        f"--file={dockerfile}",
        "--provenance=false",
        str(context),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, env=dict(os.environ), check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    found = re.findall(r"exporting manifest (sha256:[0-9a-f]{64})", done.stderr)
    assert len(set(found)) == 1
    return str(found[0])


@pytest.mark.network
@pytest.mark.lab
@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt")
def test_a_real_base_configures_itself_and_is_the_same_twice(store: Store, tmp_path: Path) -> None:
    assert platform.system() == "Linux"
    rows = real_rows(store)
    digest = store_base(rows, store)
    assert store_base(rows[::-1], store, expected=digest) == digest
    inventory = tuple(sorted(f"{row.name} {row.version} {row.arch} ii" for row in rows))
    ask = (
        "dpkg-query",
        "--show",
        "--showformat=${Package} ${Version} ${Architecture} ${db:Status-Abbrev}\\n",
    )
    check = "LC_ALL=C; export LC_ALL; dpkg-query --show --showformat=\"$1\" | sed 's/ $//' | sort | diff - /expected"
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(
        "\n".join(
            (
                "FROM scratch AS base",
                Unpack(source=store_path(digest)).text(),
                "ARG SOURCE_DATE_EPOCH",
                configure_base("debian").text(),
                "FROM base AS inventory",
                File(lines=inventory, target="/expected").text(),
                Run(commands=(("sh", "-c", check, "sh", ask[2].removeprefix("--showformat=")),)).text(),
                'RUN --network=none test ! -e /etc/machine-id && test -z "$(find /var/log -type f -size +0)"',
                "FROM base",
                "COPY --from=inventory /expected /expected",
            )
        )
        + "\n",
        encoding="utf-8",
    )
    assert built(store.root, dockerfile, 1) == built(store.root, dockerfile, 2)

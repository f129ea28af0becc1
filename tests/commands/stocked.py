"""A project whose store has all that its two locks name: wheels, packages, lists and images, all tiny."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import lzma
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pysequoia import SignatureMode, Tsk, sign

from builder.console import Console
from builder.lockfile.lock import Lock, OsPackage, PythonPackage
from builder.lockfile.reading import dump_lock, parse_lock
from builder.model.digest import ImageDigest, Sha256
from builder.origins.origins import Origin, Origins
from builder.project import Project
from builder.store.store import Store
from tests.local_index import make_wheel
from tests.rootfs.tiny_debs import deb

GOLDEN = Path(__file__).parents[1] / "golden" / "fabric"
LAYOUTS: dict[str, Any] = {
    "debian": "snapshot",
    "debian-security": "snapshot",
    "github": "flat",
    "open-mpi": "flat",
    "pypi": "warehouse",
    "pytorch": "simple",
}
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
KEY = Tsk.generate("Archive <archive@example.invalid>")
RELEASE = """\
Suite: {suite}
Codename: {suite}
Date: Sat, 12 Sep 2026 07:55:41 UTC
Valid-Until: Sat, 19 Sep 2026 07:55:41 UTC
Acquire-By-Hash: yes
Architectures: amd64 arm64
Components: main
SHA256:
{table}"""


@dataclass
class Stock:
    project: Project
    locks: tuple[Lock, ...]
    out: io.StringIO
    err: io.StringIO

    @property
    def store(self) -> Store:
        return self.project.store

    def elsewhere(self, folder: Path) -> Stock:
        """The other side: an empty project with an empty store and no places."""
        folder.mkdir(parents=True)
        return stock_of(folder, Origins(), ())


def stock_of(folder: Path, origins: Origins, locks: tuple[Lock, ...]) -> Stock:
    out, err = io.StringIO(), io.StringIO()
    project = Project(root=folder, store=Store(folder / "store"), origins=origins, console=Console(out, err))
    return Stock(project=project, locks=locks, out=out, err=err)


def make_stock(folder: Path) -> Stock:
    """Write the golden locks with digests of files that the store then has."""
    origins = tuple(
        Origin(name=name, url=f"https://{name}.invalid/files/", layout=layout)
        for name, layout in LAYOUTS.items()
    )
    stock = stock_of(folder, Origins(origins=origins), ())
    texts = [(GOLDEN / f"lock-{arch}.toml").read_bytes() for arch in ("x86_64", "aarch64")]
    locks = [_filled(parse_lock(text, place="golden"), stock.store) for text in texts]
    signed = _signed(locks, stock.store)
    locks = [_with_lists(lock, signed, stock.store) for lock in locks]
    for lock in locks:
        file = folder / "lock" / lock.target.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(dump_lock(lock))
    return dataclasses.replace(stock, locks=tuple(locks))


def content(row: Any) -> bytes:
    if isinstance(row, PythonPackage):
        return make_wheel(row.name, row.version)
    if isinstance(row, OsPackage):
        with tempfile.TemporaryDirectory() as name:
            return deb(Path(name), row.name, version=row.version, arch=row.arch).path.read_bytes()
    return f"content of {row.file}\n".encode() * 50


def _filled(lock: Lock, store: Store) -> Lock:
    def sealed(row: Any) -> Any:
        if row.sha256 is None:
            return row
        data = content(row)
        size = {"size": len(data)} if hasattr(row, "size") else {}
        path = {"path": f"aa/bb/{'c' * 60}"} if getattr(row, "origin", "") == "pypi" else {}
        return dataclasses.replace(row, sha256=Sha256(store.add_bytes(data)), **size, **path)

    rows: dict[str, Any] = {
        name: tuple(map(sealed, getattr(lock, name)))
        for name in ("archives", "python", "os_packages", "sources")
    }
    images = tuple(
        dataclasses.replace(image, digest=_image(store, lock.arch.oci), index_digest=None)
        for image in lock.images
    )
    return dataclasses.replace(lock, **rows, images=images)


def _image(store: Store, platform: str) -> ImageDigest:
    config = json.dumps({"architecture": platform, "os": "linux"}).encode()
    layer = gzip.compress(platform.encode() * 1000, mtime=0)
    parts = [
        {
            "mediaType": f"application/vnd.oci.image.{kind}",
            "digest": f"sha256:{store.add_bytes(data)}",
            "size": len(data),
        }
        for kind, data in (("config.v1+json", config), ("layer.v1.tar+gzip", layer))
    ]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": parts[0], "layers": parts[1:]}
    return ImageDigest(f"sha256:{store.add_bytes(json.dumps(manifest).encode())}")


def _with_lists(lock: Lock, signed: dict[str, Sha256], store: Store) -> Lock:
    repositories = tuple(
        dataclasses.replace(
            row, inrelease=signed[row.suite], indexes=(Sha256(store.add_bytes(_index(lock, row.origin))),)
        )
        for row in lock.repositories
    )
    return dataclasses.replace(lock, repositories=repositories)


def _signed(locks: Iterable[Lock], store: Store) -> dict[str, Sha256]:
    """Sign the lists of each suite, those of all architectures together."""
    tables: dict[str, str] = {}
    for lock in locks:
        for row in lock.repositories:
            packed, path = _index(lock, row.origin), f"main/binary-{lock.arch.debian}/Packages"
            for data, name in ((packed, f"{path}.xz"), (lzma.decompress(packed), path)):
                line = f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}\n"
                tables[row.suite] = tables.get(row.suite, "") + line
    texts = {suite: RELEASE.format(suite=suite, table=table).encode() for suite, table in tables.items()}
    return {
        suite: Sha256(store.add_bytes(bytes(sign(KEY.signer(), text, mode=SignatureMode.CLEAR))))
        for suite, text in texts.items()
    }


def _index(lock: Lock, origin: str) -> bytes:
    rows = [row for row in lock.os_packages if row.origin == origin]
    text = "\n".join(
        f"Package: {row.name}\nVersion: {row.version}\nArchitecture: {row.arch}\n"
        f"Filename: {row.file}\nSize: {row.size}\nSHA256: {row.sha256}\n"
        for row in rows
    )
    return lzma.compress(text.encode())

"""A base of our own as its canonical tar in the store, made of the packages that a lock names for it."""

from __future__ import annotations

from collections.abc import Iterable

from builder.errors import BuilderError, DigestMismatchError, LockError
from builder.lockfile import BASE, OsPackage
from builder.model import Sha256
from builder.rootfs import LockedDeb, write_rootfs_tar
from builder.store import Store

__all__ = ["store_base"]

_ANY = "all"


def store_base(rows: Iterable[OsPackage], store: Store, *, expected: Sha256 | None = None) -> Sha256:
    """Put the tar of the base into the store and return its SHA-256, observed.

    Of `rows`, those for `base` make it; their files must be in the store, and
    are hashed again. LockError when they name no base of one architecture;
    FetchError for an absent package, or packages that cannot be in one system;
    DigestMismatchError for a damaged file, or when the tar is not `expected`:
    nothing enters the store then.
    """
    chosen = [row for row in rows if BASE in row.for_]
    arch = _common_arch(chosen)
    for row in chosen:
        try:
            store.verify(row.sha256)
        except BuilderError as error:
            raise error.within(f"{row.name} {row.version}") from None
    debs = [
        LockedDeb(name=row.name, version=row.version, arch=row.arch, path=store.path(row.sha256))
        for row in chosen
    ]
    with store.incoming() as arriving:
        digest = Sha256(write_rootfs_tar(debs, arriving.file, arch=arch))
        if expected is not None and digest != expected:
            raise DigestMismatchError(
                f"the tar of {len(debs)} packages has sha256 {digest}, locked is {expected}",
                place=f"assembled base for {arch}",
                hint="the packages changed since it was pinned, or the program did: pin it again and compare",
            )
        arriving.keep(digest)
    return digest


def _common_arch(rows: Iterable[OsPackage]) -> str:
    """Return the one architecture of `rows`, in the distribution's word."""
    found = sorted({row.arch for row in rows} - {_ANY})
    if len(found) != 1:
        raise LockError(
            f"the packages for {BASE} are of {len(found)} architectures, not of one", place="os-packages"
        )
    return found[0]

"""`pin assembled`: the digest of a platform's own base, assembled from what its archive calls required.

The base becomes a canonical tar in the store, made of the packages that a lock names for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from builder.errors import BuilderError, DigestMismatchError, LockError, UsageError
from builder.fetch import Session, fetch_all
from builder.lockfile import BASE, OsPackage, Repository
from builder.model import Arch, Sha256, counted
from builder.pin.context import Context, finish
from builder.recipe import Library, Platform
from builder.recipe_editor import RecipeEditor
from builder.resolve import resolve_base
from builder.rootfs import LockedDeb, write_rootfs_tar
from builder.store import Request, Store

__all__ = ["pin_assembled", "store_base"]


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
                f"the tar of {counted(len(debs), 'package')} has sha256 {digest}, locked is {expected}",
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


def pin_assembled(context: Context, platform: str = "") -> int:
    """Assemble the base of one platform, or of all that have one of their own, and pin its digest.

    Its packages are fetched into the store. Platforms that inherit the digest
    are left alone. FetchError, DigestMismatchError as for any file.
    """
    library = context.project.library()
    editors = [
        editor
        for editor in context.editors("platforms", platform)
        if editor.get(("assembled",)) is not None and not library.platforms[editor.path.stem].images
    ]
    if not editors:
        raise UsageError(
            "no platform with a base of its own",
            place=f"recipes/platforms/{platform or '*'}.toml",
            hint="give it `images = {}` and a table `[assembled]`",
        )
    with context.project.client() as client:
        session = context.project.session(client)
        for editor in editors:
            _pin_base(context, editor, library, session)
    finish(context, editors)
    return 0


def _pin_base(context: Context, editor: RecipeEditor, library: Library, session: Session) -> None:
    platform: Platform = library.platforms[editor.path.stem]
    for arch in Arch:
        context.console.status(f"assembling {platform.name} for {arch}")
        repositories, rows = resolve_base(platform, arch, library=library, session=session)
        requests = _fetch_requests(rows, repositories, session)
        fetch_all(session.store, requests, network=session.origins.network)
        editor.put(("assembled", arch.value), str(store_base(rows, session.store)))


def _fetch_requests(
    rows: Sequence[OsPackage], repositories: Sequence[Repository], session: Session
) -> list[Request]:
    return [
        Request(
            sha256=row.sha256,
            size=row.size,
            urls=session.origins.row_urls(row, repositories),
            label=row.basename,
        )
        for row in rows
    ]

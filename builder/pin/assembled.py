"""`pin assembled`: the digest of a platform's own base, assembled from what its archive calls required."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from builder.errors import UsageError
from builder.fetch import Session, fetch_all
from builder.io import read_bytes
from builder.lockfile import OsPackage, Repository
from builder.model import Arch
from builder.pin.base_tar import store_base
from builder.pin.context import Context, finish
from builder.recipe import Library, Platform, read_library
from builder.recipe_editor import RecipeEditor
from builder.resolve import resolve_base
from builder.store import Request

__all__ = ["pin_assembled"]


def pin_assembled(context: Context, platform: str = "") -> int:
    """Assemble the base of one platform, or of all that have one of their own, and pin its digest.

    Its packages are fetched into the store. Platforms that inherit the digest
    are left alone. FetchError, DigestMismatchError as for any file.
    """
    library = _read_recipes(context.recipes)
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


def _read_recipes(recipes: Path) -> Library:
    return read_library(
        {
            path.relative_to(recipes).as_posix(): read_bytes(path)
            for path in sorted(recipes.rglob("*"))
            if path.is_file()
        }
    )

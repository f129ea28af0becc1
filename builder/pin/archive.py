"""`pin archive`: the size and digest of a file that a build downloads."""

from __future__ import annotations

from builder.errors import DigestMismatchError, UsageError
from builder.fetch import difference
from builder.io import download_file
from builder.model import key_path_text
from builder.pin.context import Context, finish
from builder.recipe import Component
from builder.recipe_editor import KeyPath, RecipeEditor
from builder.store import Store

__all__ = ["pin_archive"]


def pin_archive(
    context: Context, component: str, version: str, file: str, *, accept_changed: bool = False
) -> int:
    """Fetch a file that the recipe names, from its origin, and set or confirm its digest and size.

    The file enters the store, and the evidence becomes `observed`. A digest
    or size that differs from the one that the recipe records is a
    DigestMismatchError unless `accept_changed` (traps T7 and T12).
    """
    (editor,) = context.editors("components", component)
    keys = _archive_keys(editor, version, file)
    place = f"{editor.place}: {key_path_text(keys)}"
    recorded = {key: editor.get((*keys, key)) for key in ("sha256", "size")}
    sha256, size = _fetch_archive(context, editor, keys, file)
    seen = {"sha256": sha256, "size": size}
    differing = [key for key, value in recorded.items() if value not in (None, "", seen[key])]
    if differing and not accept_changed:
        parts = [f"{key} {seen[key]}, recorded is {recorded[key]}" for key in differing]
        raise DigestMismatchError(
            f"{file} has {'; '.join(parts)}{_what_differs(context.store, recorded['sha256'], sha256)}",
            place=place,
            hint="somebody replaced the file: compare both, then take the new one with --accept-changed",
        )
    if editor.put((*keys, "sha256"), sha256) and recorded["sha256"]:
        editor.drop((*keys, "by"))  # whoever published the other digest did not publish this one
    editor.put((*keys, "size"), size)
    editor.put((*keys, "evidence"), "observed")
    editor.parsed(Component)
    finish(context, (editor,))
    return 0


def _what_differs(store: Store, recorded: object, observed: str) -> str:
    """Return what differs between the recorded bytes, where the store still has them, and those of now."""
    if not isinstance(recorded, str) or not recorded or not store.has(recorded):
        return ""
    return difference(store.path(recorded), store.path(observed)).text()


def _archive_keys(editor: RecipeEditor, version: str, file: str) -> KeyPath:
    """Return the key path of the archive row of `file` (UsageError)."""
    if editor.get(("versions", version)) is None:
        known = ", ".join(editor.get(("versions",), {})) or "none"
        raise UsageError(f"there is no version {version!r}", place=editor.place, hint=f"known: {known}")
    rows = editor.get(("versions", version, "archives"), [])
    for index, row in enumerate(rows):
        if file == row.get("file"):
            return ("versions", version, "archives", index)
    known = ", ".join(str(row.get("file")) for row in rows) or "none"
    raise UsageError(
        f"version {version!r} has no archive {file!r}", place=editor.place, hint=f"its archives: {known}"
    )


def _fetch_archive(context: Context, editor: RecipeEditor, keys: KeyPath, file: str) -> tuple[str, int]:
    """Download the file of a row into the store; return its digest and size."""
    origin, path = (str(editor.get((*keys, key), "")) for key in ("origin", "path"))
    origins = context.project.origins_of((origin,))
    places = origins.urls(origin, (path,), file)
    with context.store.incoming() as arriving:
        context.console.status(f"fetching {file}")
        sha256 = download_file(places, arriving.file, network=origins.network, label=file)
        size = arriving.file.tell()
        arriving.keep(sha256)
    return sha256, size

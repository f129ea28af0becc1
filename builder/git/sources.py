"""A locked git source as its canonical tar in the store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from builder.errors import BuilderError, DigestMismatchError
from builder.git.canonical_tar import CanonicalSpec, SubmoduleTree, Tree, write_canonical_tar
from builder.git.places import GitPlaces
from builder.lockfile import GitSource
from builder.origins import Origins
from builder.store import Store

__all__ = ["materialise", "store_tar"]


def materialise(
    source: GitSource,
    store: Store,
    cache: Path,
    *,
    origins: Origins | None = None,
    environment: Mapping[str, str] | None = None,
) -> Path:
    """Return the canonical tar of a locked source, from the store or made from fetched commits.

    `cache` keeps bare repositories; `environment` is that of every git call
    (this process's, filtered, unless given). FetchError when a commit cannot
    be had; DigestMismatchError names the commit, tree or tar that is not the locked one.
    """
    if store.has(source.sha256):
        return store.path(source.sha256)
    places = GitPlaces.of(cache, origins=origins, environment=environment)
    label = f"{source.component} {source.version}"
    try:
        top = places.commit(source.git, source.commit, source.tag)
        inner = [
            SubmoduleTree(
                path=row.path,
                source=Tree(repository=places.commit(row.git, row.commit), commit=row.commit, tree=row.tree),
            )
            for row in source.submodules
        ]
    except BuilderError as error:
        raise error.within(label) from None
    spec = CanonicalSpec(
        name=source.component,
        version=source.version,
        source=Tree(repository=top, commit=source.commit, tree=source.tree),
        submodules=tuple(inner),
        omitted=source.omitted,
    )
    return store.path(store_tar(spec, store, places.environment, expected=source.sha256))


def store_tar(
    spec: CanonicalSpec, store: Store, environment: Mapping[str, str], *, expected: str = ""
) -> str:
    """Put the canonical tar of `spec` into the store and return its SHA-256.

    DigestMismatchError when it is not `expected`: nothing enters the store then.
    """
    with store.incoming() as arriving:
        digest = write_canonical_tar(spec, arriving.file, environment=environment)
        if expected and digest != expected:
            raise DigestMismatchError(
                f"the canonical tar of commit {spec.source.commit} has sha256 {digest}, "
                f"locked is {expected}; commit, tree and submodules are the locked ones",
                place=f"{spec.name} {spec.version}",
                hint="the pin was made by another version of this program, or by hand: pin again and compare",
            )
        arriving.keep(digest)
    return digest

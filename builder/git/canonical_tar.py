"""The canonical tar of a commit with its locked submodules.

The bytes depend on the commits alone: entries come straight from git objects
(no checkout, so no line-end conversion, filter or `export-subst`), every
object is checked against its id, and members are sorted by path with owner
0:0, one time, and modes 0644 or 0755. A directory is a member of its own.
What the specification omits is left out: a file or folder is not there, and a
submodule stays the empty directory that git makes of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from builder.errors import BuilderError, DigestMismatchError, FetchError
from builder.git.objects import Objects, TreeEntry, commit_info, ls_tree, open_objects
from builder.git.places import GitPlaces
from builder.lockfile import GitSource
from builder.origins import Origins
from builder.store import Store
from builder.tars import END, Member, check_component, check_links, check_path, header, lies_in, padding

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CanonicalSpec", "SubmoduleTree", "Tree", "materialise", "store_tar", "write_canonical_tar"]


_LONGEST_TARGET = 4096  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A commit and the tree that it must have, in the git repository at `repository`."""

    repository: Path
    commit: str
    tree: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmoduleTree:
    """What fills the submodule at `path`, counted from the top also inside another submodule."""

    path: str
    source: Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalSpec:
    """What goes into a canonical tar, below the directory `<name>-<version>`.

    `omitted` are paths of files, folders and submodules that are left out, the
    last as empty directories. `mtime` is the time of every member in seconds
    since 1970.
    """

    name: str
    version: str
    source: Tree
    submodules: tuple[SubmoduleTree, ...] = ()
    omitted: tuple[str, ...] = ()
    mtime: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _TreeMember:
    """A directory, file or link of the final tree, and where its content is."""

    entry: TreeEntry
    objects: Objects


def write_canonical_tar(
    spec: CanonicalSpec, sink: BinaryIO, *, environment: Mapping[str, str] | None = None
) -> str:
    """Write the canonical tar of `spec` to `sink` and return its SHA-256.

    DigestMismatchError when an object, a tree or a submodule is not the locked
    one; FetchError for a tree that is not a safe archive (a submodule without a
    source, a path or link that leaves the tree, a device) or is incomplete.
    """
    root = f"{spec.name}-{spec.version}"
    check_component(root.encode("utf-8"), root)
    digest = hashlib.sha256()
    with ExitStack() as stack:
        found = _collect_members(spec, stack, environment)
        links = _link_targets(found)
        check_links(links, root)
        for piece in _tar_pieces(found, links, root.encode("utf-8"), spec.mtime):
            digest.update(piece)
            sink.write(piece)
    return digest.hexdigest()


def _collect_members(
    spec: CanonicalSpec, stack: ExitStack, environment: Mapping[str, str] | None
) -> dict[bytes, _TreeMember]:
    """Return every member by its path: of the commit, and of each submodule where it belongs."""
    sources = {module.path.encode("utf-8"): module.source for module in spec.submodules}
    omitted = {path.encode("utf-8") for path in spec.omitted}
    used: set[bytes] = set()
    found: dict[bytes, _TreeMember] = {}
    waiting = [(b"", spec.source)]
    while waiting:
        prefix, source = waiting.pop()
        objects = stack.enter_context(open_objects(source.repository, environment=environment))
        for item in _repository_members(objects, source, prefix):
            path = item.entry.path
            if path in found:
                raise FetchError("occurs twice", place=_member_place(spec, path))
            submodule, left_out = item.entry.kind == "commit", lies_in(path, omitted)
            if submodule or path in omitted:
                used.add(path)
            if not left_out or (submodule and path in omitted):
                found[path] = item
            if submodule and not left_out:
                waiting.append((path + b"/", _submodule_source(spec, sources, item.entry)))
    for path in sorted(sources.keys() - used):
        raise FetchError("is not a submodule of this commit", place=_member_place(spec, path))
    for path in sorted(omitted - used):
        raise FetchError("is to be left out, and is not in this commit", place=_member_place(spec, path))
    return found


def _repository_members(objects: Objects, source: Tree, prefix: bytes) -> Iterator[_TreeMember]:
    """Yield the checked entries of one repository, with `prefix` before their paths."""
    actual = commit_info(objects, source.commit).tree
    if actual != source.tree:
        raise DigestMismatchError(
            f"commit {source.commit} has the tree {actual}, not the locked {source.tree}",
            place=str(source.repository),
        )
    for entry in ls_tree(objects, actual):
        check_path(entry.path, str(source.repository))
        moved = TreeEntry(mode=entry.mode, kind=_entry_kind(entry), oid=entry.oid, path=prefix + entry.path)
        yield _TreeMember(entry=moved, objects=objects)


def _entry_kind(entry: TreeEntry) -> str:
    """Return tree, commit, link or blob; FetchError for a mode that git does not write."""
    kinds = {0o040000: "tree", 0o160000: "commit", 0o120000: "link", 0o100000: "blob"}
    kind = kinds.get(entry.mode & 0o170000)
    if kind is None:
        path = entry.path.decode("utf-8")
        raise FetchError(f"has the mode {entry.mode:o}, which is not a file, link or directory", place=path)
    return kind


def _submodule_source(spec: CanonicalSpec, sources: Mapping[bytes, Tree], entry: TreeEntry) -> Tree:
    """Return the locked source of a submodule, which must be at the commit that the tree names."""
    source = sources.get(entry.path)
    place = _member_place(spec, entry.path)
    if source is None:
        raise FetchError(
            f"is a submodule at commit {entry.oid}, and nothing locked fills it",
            place=place,
            hint="pin the submodule in the recipe, or list its path as omitted",
        )
    if source.commit != entry.oid:
        raise DigestMismatchError(f"submodule is at {entry.oid}, locked is {source.commit}", place=place)
    return source


def _link_targets(found: Mapping[bytes, _TreeMember]) -> dict[bytes, bytes]:
    targets = {}
    for path, item in found.items():
        if item.entry.kind == "link":
            targets[path] = item.objects.read(item.entry.oid, "blob")
            if not 0 < len(targets[path]) <= _LONGEST_TARGET:
                raise FetchError(
                    f"is a link to {len(targets[path])} bytes of path", place=path.decode("utf-8")
                )
    return targets


def _tar_pieces(
    found: Mapping[bytes, _TreeMember], links: Mapping[bytes, bytes], root: bytes, mtime: int
) -> Iterator[bytes]:
    """Yield the tar file piece by piece."""
    yield header(Member(path=root, kind="directory", mode=0o755, mtime=mtime))
    for path, item in sorted(found.items()):
        entry, full = item.entry, root + b"/" + path
        if entry.kind in ("tree", "commit"):
            yield header(Member(path=full, kind="directory", mode=0o755, mtime=mtime))
        elif entry.kind == "link":
            yield header(Member(path=full, kind="link", mode=0o777, mtime=mtime, target=links[path]))
        else:
            blob = item.objects.stream(entry.oid)
            if blob.kind != "blob":
                raise FetchError(f"is a {blob.kind}, not a blob", place=path.decode("utf-8"))
            mode = 0o755 if entry.mode & 0o100 else 0o644
            yield header(Member(path=full, kind="file", mode=mode, mtime=mtime, size=blob.size))
            yield from blob.chunks
            yield padding(blob.size)
    yield END


def _member_place(spec: CanonicalSpec, path: bytes) -> str:
    return f"{spec.name} {spec.version}: {path.decode('utf-8', 'replace')}"


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

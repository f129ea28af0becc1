"""The graph of one lock: each thing in it, and who asks for it, across kinds. Pure.

The edges are those that the lock states: `via` of Python and OS packages,
`needs`, `archives` and `wheels` of builds, roles of images. What a build's own
environment holds is asked for by the build.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from builder.lockfile import (
    BASE,
    INSTALLER,
    RECIPE,
    REQUIRED,
    RUNTIME,
    Archive,
    Build,
    GitSource,
    Image,
    Lock,
    OsPackage,
    PythonPackage,
    Runtime,
    Submodule,
)

Row = PythonPackage | OsPackage | Image | Build | GitSource | Archive | Runtime
"""A row of a lock, or its table `runtime`."""

Package = TypeVar("Package", PythonPackage, OsPackage)

__all__ = ["RECIPE_NODE", "LockGraph", "LockNode", "NodeKind", "Row", "graph_of", "node_of", "submodule_node"]


class NodeKind(StrEnum):
    """What a node is."""

    RECIPE = "recipe"
    PYTHON = "python"
    OS_PACKAGE = "os-package"
    BUILD = "build"
    SOURCE = "source"
    SUBMODULE = "submodule"
    ARCHIVE = "archive"
    IMAGE = "image"
    IN_IMAGE = "in-image"
    """An OS package that a published image brings: it has no row of its own."""
    PYTHON_IN_IMAGE = "python-in-image"
    """A Python distribution that a published image brings."""
    RUNTIME = "runtime"
    """The table of what the image is told at run time."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LockNode:
    """One thing in a lock."""

    kind: NodeKind
    name: str
    version: str = ""
    file: str = ""
    """The name of its file, where it is one."""
    sha256: str = ""
    """Of that file."""


RECIPE_NODE = LockNode(kind=NodeKind.RECIPE, name=RECIPE)
"""Everything in a lock is there because the recipes ask for it."""


@dataclass(frozen=True, kw_only=True)
class LockGraph:
    """Every node of a lock with those who ask for it, both sorted."""

    askers: dict[LockNode, tuple[LockNode, ...]]

    @cached_property  # most locks that are searched for a name do not have it
    def paths(self) -> dict[LockNode, tuple[LockNode, ...]]:
        """The shortest way from the recipes to each node that they reach, both ends included."""
        return _shortest_paths(self.askers)

    def chains(self, node: LockNode) -> tuple[tuple[LockNode, ...], ...]:
        """Return the shortest chain from the recipes through each asker of `node`, shortest first."""
        through = [self.paths[asker] for asker in self.askers[node] if asker in self.paths]
        found = [(*path, node) for path in through if node not in path]
        return tuple(sorted(found, key=lambda chain: (len(chain), chain)))


def graph_of(lock: Lock) -> LockGraph:
    """Return the graph of `lock`."""
    found: dict[LockNode, set[LockNode]] = {}
    for node, by in _EdgeFinder(lock).edges():
        found.setdefault(node, set()).update(by)
    askers = {node: tuple(sorted(found[node])) for node in sorted(found)}
    return LockGraph(askers=askers)


def _shortest_paths(askers: dict[LockNode, tuple[LockNode, ...]]) -> dict[LockNode, tuple[LockNode, ...]]:
    asked: dict[LockNode, list[LockNode]] = {}
    for node, by in askers.items():
        for asker in by:
            asked.setdefault(asker, []).append(node)
    paths: dict[LockNode, tuple[LockNode, ...]] = {RECIPE_NODE: (RECIPE_NODE,)}
    pending = deque([RECIPE_NODE])
    while pending:
        asker = pending.popleft()
        for node in asked.get(asker, ()):
            if node not in paths:
                paths[node] = (*paths[asker], node)
                pending.append(node)
    return paths


class _EdgeFinder:
    """The nodes of one lock, found by what rows name them by."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self.builds = {row.component: node_of(row) for row in lock.builds}
        self.python = {row: node_of(row) for row in lock.python}
        self.packages = {row: node_of(row) for row in lock.os_packages}
        self.images = {row: node_of(row) for row in lock.images}

    def edges(self) -> Iterator[tuple[LockNode, list[LockNode]]]:
        """Yield every node with its askers."""
        by_name = _rows_by_name(self.lock.python)
        for row, node in self.python.items():
            yield node, list(self._row_askers(row.for_, row.via, by_name, self.python))
        packages = _rows_by_name(self.lock.os_packages)
        for package, node in self.packages.items():
            yield node, list(self._row_askers(package.for_, package.via, packages, self.packages))
        yield from self._build_edges()
        for image, node in self.images.items():
            yield node, [RECIPE_NODE]
            for line in image.inventory:
                name, _, version = line.partition("=")
                yield LockNode(kind=NodeKind.IN_IMAGE, name=name, version=version), [node]
            for line in image.python:
                name, _, version = line.partition("==")
                yield LockNode(kind=NodeKind.PYTHON_IN_IMAGE, name=name, version=version), [node]

    def _row_askers(
        self,
        uses: tuple[str, ...],
        via: tuple[str, ...],
        by_name: dict[str, list[Package]],
        nodes: dict[Package, LockNode],
    ) -> Iterator[LockNode]:
        """Yield who asks for a row: rows of an environment that they share, and who fills the others.

        Rows of several environments are one row, so that the lock does not
        say in which of them a recipe asks. It is a root if nothing else asks,
        or else it stays open.
        """
        filled = set()
        for name in via:
            for row in by_name.get(name, ()):
                shared = set(row.for_) & set(uses)
                if shared or BASE in uses:
                    filled |= shared
                    yield nodes[row]
        by_recipe = [name for name in via if name in {RECIPE, REQUIRED}]
        if by_recipe or not filled:
            rest = [use for use in uses if use not in filled] or (uses if len(uses) == 1 else ())
            yield from map(self._environment_owner, rest)
            if not rest:
                yield RECIPE_NODE

    def _environment_owner(self, use: str) -> LockNode:
        """Return who asks for what an environment holds."""
        if use == BASE:
            return next((node for row, node in self.images.items() if row.tar), RECIPE_NODE)
        return RECIPE_NODE if use in {RUNTIME, INSTALLER} else self.builds.get(use, RECIPE_NODE)

    def _build_edges(self) -> Iterator[tuple[LockNode, list[LockNode]]]:
        for build in self.lock.builds:
            users = [
                self.builds[other.component] for other in self.lock.builds if build.component in other.needs
            ]
            users += [node for row, node in self.python.items() if row.build == build.component]
            wanted = [RECIPE_NODE] if build.runtime or not users else []
            yield self.builds[build.component], [*users, *wanted]
        for source in self.lock.sources:
            node = node_of(source)
            yield node, [self.builds[source.component]]
            for module in source.submodules:
                yield submodule_node(module), [node]
        for archive in self.lock.archives:
            yield node_of(archive), [self.builds[archive.component]]


def _rows_by_name(rows: Iterable[Package]) -> dict[str, list[Package]]:
    found: dict[str, list[Package]] = {}
    for row in rows:
        found.setdefault(row.name, []).append(row)
    return found


def node_of(row: Row) -> LockNode:
    """Return the node of a row, or of the table `runtime`."""
    match row:
        case Runtime():
            return LockNode(kind=NodeKind.RUNTIME, name="runtime")
        case Build():
            return LockNode(kind=NodeKind.BUILD, name=row.component, version=row.version)
        case Image():
            digest = str(row.tar or row.digest or "").removeprefix("sha256:")
            return LockNode(kind=NodeKind.IMAGE, name=row.name, version=row.tag, sha256=digest)
        case PythonPackage():
            kind, name, file = NodeKind.PYTHON, row.name, row.file
        case OsPackage():
            kind, name, file = NodeKind.OS_PACKAGE, row.name, row.basename
        case GitSource():
            kind, name, file = NodeKind.SOURCE, row.component, row.file
        case Archive():
            kind, name, file = NodeKind.ARCHIVE, row.component, row.file
    return LockNode(kind=kind, name=name, version=row.version, file=file, sha256=str(row.sha256 or ""))


def submodule_node(module: Submodule) -> LockNode:
    """Return the node of a submodule."""
    return LockNode(kind=NodeKind.SUBMODULE, name=module.path, version=str(module.commit))

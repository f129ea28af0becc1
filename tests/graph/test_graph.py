"""The graph of a lock: everything in every committed lock is there for a reason that the lock states."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import pytest

from builder.graph.graph import RECIPE_NODE, LockGraph, LockNode, NodeKind, Row, graph_of, node_of
from builder.lockfile.lock import RECIPE, REQUIRED, Lock
from builder.lockfile.reading import parse_lock

ROOT_FOLDER = Path(__file__).resolve().parents[2]
LOCKS = sorted(path.relative_to(ROOT_FOLDER).as_posix() for path in ROOT_FOLDER.glob("lock/*/*/*.toml"))


@cache
def read(path: str) -> tuple[Lock, LockGraph]:
    lock = parse_lock((ROOT_FOLDER / path).read_bytes(), place=path)
    return lock, graph_of(lock)


def test_there_are_locks() -> None:
    assert len(LOCKS) >= 30


@pytest.mark.parametrize("path", LOCKS)
def test_every_row_has_a_chain_from_the_recipes(path: str) -> None:
    lock, graph = read(path)
    rows: tuple[Row, ...] = (
        *lock.python,
        *lock.os_packages,
        *lock.builds,
        *lock.sources,
        *lock.archives,
        *lock.images,
    )
    for row in rows:
        chains = graph.chains(node_of(row))
        assert chains, row
        assert all(chain[0] is RECIPE_NODE and chain[-1] == node_of(row) for chain in chains)
        assert all(len(set(chain)) == len(chain) for chain in chains)
    assert {node_of(row) for row in rows} <= graph.askers.keys()


@pytest.mark.parametrize("path", LOCKS)
def test_every_link_is_stated_by_the_lock(path: str) -> None:
    lock, graph = read(path)
    stated = {node_of(row): {*row.via} for row in lock.python}
    stated |= {node_of(package): {*package.via} for package in lock.os_packages}
    uses: dict[LockNode, set[str]] = {}
    for row in lock.python:
        uses.setdefault(node_of(row), set()).update(row.for_)
    for package in lock.os_packages:
        uses.setdefault(node_of(package), set()).update(package.for_)
    builds = {build.component: build for build in lock.builds}
    for node, askers in graph.askers.items():
        for asker in askers:
            if asker.kind is node.kind and node in stated:
                assert asker.name in stated[node], (asker, node)
                assert uses[asker] & uses[node] or "base" in uses[node], (asker, node)
            elif node in stated:
                assert stated[node] & {RECIPE, REQUIRED}, (asker, node)
            elif node.kind is NodeKind.BUILD and asker.kind is NodeKind.BUILD:
                assert node.name in builds[asker.name].needs
            elif node.kind is NodeKind.BUILD and asker.kind is NodeKind.PYTHON:
                assert asker.name in builds[node.name].wheels


def test_a_chain_goes_across_kinds() -> None:
    _, graph = read("lock/1.4.2/debian-13/dynamo-x86_64.toml")
    (node,) = [node for node in graph.askers if node.kind is NodeKind.OS_PACKAGE and node.name == "automake"]
    assert ["recipe", "build libfabric", "os-package automake"] in [
        words(chain) for chain in graph.chains(node)
    ]
    (source,) = [node for node in graph.askers if node.kind is NodeKind.SOURCE and node.name == "ucx"]
    assert words(graph.chains(source)[0]) == ["recipe", "build ucx", "source ucx"]


def words(chain: tuple[LockNode, ...]) -> list[str]:
    return [f"{node.kind.value} {node.name}" if node is not RECIPE_NODE else "recipe" for node in chain]


def test_what_a_published_image_holds_is_there_because_of_the_image() -> None:
    lock, _ = read("lock/1.4.2/debian-13/dynamo-x86_64.toml")
    image = dataclasses.replace(lock.images[0], python=("torch==2.9.1",), python_by="somebody")
    graph = graph_of(dataclasses.replace(lock, images=(image,)))
    (torch,) = [node for node in graph.askers if node.kind is NodeKind.PYTHON_IN_IMAGE]
    assert (torch.name, torch.version) == ("torch", "2.9.1")
    assert words(graph.chains(torch)[0]) == ["recipe", f"image {image.name}", "python-in-image torch"]
    (base_files,) = [node for node in graph.askers if node.name == "base-files"]
    assert words(graph.chains(base_files)[0])[1] == f"image {image.name}"


def test_only_rows_of_a_shared_environment_ask_for_each_other() -> None:
    lock, _ = read("tests/faults/project/lock/1.0/plain/tiny-x86_64.toml")
    (idna, *_) = lock.python
    old = dataclasses.replace(idna, name="a", version="1", for_=("runtime",))
    new = dataclasses.replace(idna, name="a", version="2", for_=("zlib",))
    asked = dataclasses.replace(idna, name="b", for_=("zlib",), via=("a",))
    graph = graph_of(dataclasses.replace(lock, python=(old, new, asked)))
    assert graph.askers[node_of(asked)] == (node_of(new),)
    assert words(graph.chains(node_of(asked))[0]) == ["recipe", "build zlib", "python a", "python b"]

"""The pictures: areas are sizes, columns follow edges, and every box leads to its row."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.graph import graph_of, node_of
from builder.lockfile import BASE, RUNTIME, Lock, parse_lock
from builder.report.layered_layout import layered
from builder.report.lock_page import row_anchors
from builder.report.pictures import graph_picture, size_picture
from builder.report.treemap import squarified
from tests.report.conftest import ROOT


@pytest.fixture(scope="module")
def lock() -> Lock:
    path = ROOT / "lock/1.4.2/debian-13-cuda-13.0/vllm-x86_64.toml"
    return parse_lock(path.read_bytes(), place=path.name)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=80))
def test_areas_are_sizes_and_fill_the_picture(sizes: list[int]) -> None:
    sizes.sort(reverse=True)
    found = squarified(sizes, 1000, 420)
    for size, place in zip(sizes, found, strict=True):
        assert math.isclose(place.width * place.height, size * 420_000 / sum(sizes), rel_tol=1e-6)
        assert place.x >= -1e-6
        assert place.y >= -1e-6
        assert place.x + place.width <= 1000.001
        assert place.y + place.height <= 420.001


@given(st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=4), min_size=1, max_size=13))
def test_each_node_stands_left_of_what_it_leads_to(drawn: dict[int, list[int]]) -> None:
    edges = {node: [one for one in targets if one in drawn and one > node] for node, targets in drawn.items()}
    columns = layered(edges)
    place = {node: index for index, column in enumerate(columns) for node in column}
    assert sorted(place) == sorted(edges)
    assert all(place[node] < place[target] for node, targets in edges.items() for target in targets)


def test_a_circle_ends() -> None:
    columns = layered({1: [2], 2: [3], 3: [1]})
    assert sorted(node for column in columns for node in column) == [1, 2, 3]


def test_the_graph_has_every_build_source_archive_and_image(lock: Lock) -> None:
    anchors = row_anchors(lock)
    picture = graph_picture(lock, graph_of(lock), anchors)
    assert picture is not None
    links = [box.link for box in picture.boxes if box.link]
    nodes = [*map(node_of, lock.builds), *map(node_of, lock.sources)]
    nodes += [*map(node_of, lock.archives), *map(node_of, lock.images)]
    assert {f"#{anchors[node]}" for node in nodes} <= set(links)
    assert len(picture.lines) >= sum(len(build.needs) for build in lock.builds)
    assert all(line.x1 < line.x2 for line in picture.lines)


def test_a_graph_that_nobody_could_read_is_not_drawn(lock: Lock) -> None:
    many = tuple(
        dataclasses.replace(lock.builds[0], component=f"part-{number}", needs=(f"part-{number + 1}",))
        for number in range(1000)
    )
    chained = dataclasses.replace(lock, builds=many, sources=(), archives=())
    assert graph_picture(chained, graph_of(chained), row_anchors(chained)) is None


def test_sizes_are_those_of_the_rows_in_the_image(lock: Lock) -> None:
    picture = size_picture(lock, row_anchors(lock))
    wheels = [row.size for row in lock.python if RUNTIME in row.for_ and row.sha256]
    packages = [row.size for row in lock.os_packages if {RUNTIME, BASE} & set(row.for_)]
    assert picture.files + picture.unknown == len(wheels) + len(packages)
    total = sum(size or 0 for size in (*wheels, *packages))
    torch = next(box for box in picture.boxes if box.title.startswith("torch "))
    size = next(row.size or 0 for row in lock.python if row.name == "torch")
    assert math.isclose(torch.width * torch.height, 420_000 * size / total, rel_tol=0.01)
    assert torch.link == "#python-torch"

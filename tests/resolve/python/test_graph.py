from __future__ import annotations

from typing import Any

import pytest

from builder.errors import NoSolutionError
from builder.model.requirements import marker_environment
from builder.model.target import Arch
from builder.resolve.python.graph import RequirementNode, active_requirements, walk_requirements


def node(name: str, version: str = "1", *requires: str, extras: tuple[str, ...] = ()) -> RequirementNode:
    return RequirementNode(name=name, version=version, requires=requires, extras=extras)


def graph(*nodes: RequirementNode) -> dict[str, RequirementNode]:
    return {item.name: item for item in nodes}


def test_extras_of_extras(request_of: Any) -> None:
    nodes = graph(
        node("app", "1", "app[b]; extra == 'A_x'", "lib[Fast]; extra == 'b'", extras=("a-x", "b")),
        node("lib", "2", "speed; extra == 'fast'", extras=("fast", "slow")),
        node("speed"),
    )
    asked = walk_requirements(request_of("app[a.x]==1"), nodes)
    assert asked["app"].extras == ("a-x", "b")
    assert asked["app"].via == ("recipe",)
    assert asked["lib"].extras == ("fast",)
    assert asked["speed"].via == ("lib",)


def test_cycles_end(request_of: Any) -> None:
    asked = walk_requirements(request_of("a==1"), graph(node("a", "1", "b"), node("b", "1", "a")))
    assert asked["a"].via == ("b", "recipe")
    assert asked["b"].via == ("a",)


def test_unmet_requirement_is_an_error(request_of: Any) -> None:
    with pytest.raises(NoSolutionError, match=r"^a 1 requires b>=2, and the solution has b 1$"):
        walk_requirements(request_of("a==1"), graph(node("a", "1", "b>=2"), node("b")))
    with pytest.raises(NoSolutionError, match=r"^a 1 requires b>=2, and the solution has no b$"):
        walk_requirements(request_of("a==1"), graph(node("a", "1", "b>=2")))
    with pytest.raises(NoSolutionError, match=r"^the recipe requires a==1, and the solution has a 2$"):
        walk_requirements(request_of("a==1"), graph(node("a", "2")))


def test_prereleases_and_local_versions_count(request_of: Any) -> None:
    nodes = graph(node("a", "1", "torch==2.9.0", "b>=1"), node("torch", "2.9.0+cu128"), node("b", "2rc1"))
    assert set(walk_requirements(request_of("a==1"), nodes)) == {"a", "torch", "b"}


def test_old_specifiers_do_not_stop_the_walk(request_of: Any) -> None:
    nodes = graph(node("a", "1", "b (>=2.*)", "c>='1'; python_version >= '3'"), node("b"), node("c"))
    assert set(walk_requirements(request_of("a==1"), nodes)) == {"a", "b", "c"}


def test_inactive_root_is_left_out(request_of: Any) -> None:
    request = request_of("a==1", "b==1; platform_machine == 'aarch64'")
    assert set(walk_requirements(request, graph(node("a")))) == {"a"}


@pytest.mark.parametrize(
    ("marker", "extra", "counts"),
    [
        ("extra == 'x'", "", False),
        ("extra == 'x'", "x", True),
        ("extra == 'x' or python_version > '3'", "", True),
        ("extra == 'x' and python_version < '3'", "x", False),
        ("extra != 'x'", "", True),
        ("extra == 'x' or extra == 'y'", "y", True),
        ("(extra == 'x') and (sys_platform == 'linux')", "x", True),
        ("'x' == extra", "x", True),
        ("'x' == extra", "", False),
    ],
)
def test_markers_with_extras(marker: str, extra: str, counts: bool) -> None:
    environment = marker_environment(Arch.X86_64, "3.13")
    found = list(active_requirements(node("a", "1", f"b; {marker}"), extra, environment))
    assert bool(found) is counts

"""What is refused, in which words, and what is mended instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builder.errors import NoSolutionError
from builder.resolve.debian.closure import plan, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from builder.resolve.debian.inventory import InstalledDeb
    from builder.resolve.debian.universe import Universe

    Build = Callable[..., Universe]
    Base = Callable[..., tuple[InstalledDeb, ...]]


def refusal(universe: Universe, installed: tuple[InstalledDeb, ...], *requests: str) -> str:
    with pytest.raises(NoSolutionError) as caught:
        resolve(universe, installed, requests)
    assert caught.value.hint
    assert caught.value.exit_code == 5
    return str(caught.value)


def test_an_unknown_package(universe: Build) -> None:
    assert refusal(universe(["a"]), (), "b") == "no index has a package b for amd64"


def test_a_missing_dependency_names_the_chain(universe: Build) -> None:
    u = universe(["a; Depends: b", "b; Depends: c", "c; Depends: d (>= 2)", "d 1"])
    assert refusal(u, (), "a") == (
        "c 1 needs d (>= 2), but d is at 1 (a is requested and needs b, which needs c)"
    )


def test_a_missing_version_names_the_one_that_is_there_instead(universe: Build, base: Base) -> None:
    u = universe(["a; Depends: d (= 3)", "d 1", "d 2"])
    assert refusal(u, (), "a") == (
        "a 1 needs d (= 3), but d is at 2, 1, and 2 is to be installed (a is requested)"
    )
    u = universe(["a; Depends: d (= 1)", "d 2"])
    assert refusal(u, base("d 2"), "a") == (
        "a 1 needs d (= 1), but d is at 2, and 2 is installed (a is requested)"
    )


def test_every_alternative_is_accounted_for(universe: Build) -> None:
    u = universe(["a; Depends: b | c (>= 2) | v (= 3)", "c 1", "p; Provides: v (= 2)"])
    assert refusal(u, (), "a") == (
        "a 1 needs b | c (>= 2) | v (= 3), but no index has b; c is at 1; no provider of v fits (a is requested)"
    )


def test_requests_that_exclude_each_other(universe: Build) -> None:
    u = universe(["a 1; Conflicts: b (<< 3)", "b 2"])
    message = "a 1 and b 2 exclude each other: a conflicts with b (<< 3) (a is requested; b is requested)"
    assert refusal(u, (), "a", "b") == message
    assert refusal(u, (), "b", "a") == message


def test_dependencies_that_exclude_each_other(universe: Build) -> None:
    u = universe(["a; Depends: b", "b; Depends: c", "c; Breaks: v", "x; Depends: p", "p; Provides: v"])
    assert refusal(u, (), "a", "x") == (
        "c 1 and p 1 exclude each other: c breaks v "
        "(a is requested and needs b, which needs c; x is requested and needs p)"
    )


def test_alternatives_that_each_conflict(universe: Build) -> None:
    u = universe(["a; Depends: b | c", "b; Conflicts: x", "c; Depends: nowhere", "x"])
    message = refusal(u, (), "x", "a")
    assert message.startswith("a 1 needs b | c; ")
    assert (
        "b 1 and x 1 exclude each other: b conflicts with x (a is requested and needs b; x is requested)"
        in message
    )
    assert "c 1 needs nowhere, but no index has nowhere (a is requested and needs c)" in message


def test_a_conflict_with_an_essential_package_of_the_base(universe: Build, base: Base) -> None:
    u = universe(["a; Conflicts: e", "e; Essential: yes"])
    assert refusal(u, base("e 1"), "a") == (
        "a 1 and e 1 exclude each other: a conflicts with e (a is requested; e is in the base)"
    )


def test_the_base_only_grows(universe: Build, base: Base) -> None:
    u = universe(["a; Depends: b", "b; Conflicts: c", "c", "d; Depends: c"])
    installed = base("c 1", "d 1")
    assert plan(u, installed, ["a"]).removals == (("c", "1"), ("d", "1"))
    assert refusal(u, installed, "a") == (
        "c 1 of the base would have to be removed, because b 1 conflicts with c; "
        "d 1 of the base would have to be removed, because it needs c"
    )


def test_a_conflict_is_avoided_by_the_other_alternative(universe: Build) -> None:
    u = universe(["a; Depends: b | c", "b; Conflicts: x", "c", "x"])
    assert [choice.name for choice in resolve(u, (), ["x", "a"])] == ["a", "c", "x"]
    assert [choice.name for choice in resolve(u, (), ["a", "x"])] == ["a", "c", "x"]


def test_a_choice_made_early_is_mended(universe: Build) -> None:
    # z is reached after b was chosen for a, deep enough that only the repair sees the conflict.
    u = universe(
        [
            "a; Depends: b | c",
            "b",
            "c",
            "m; Depends: n",
            "n; Depends: z1 | z2",
            "z1; Conflicts: b",
            "z2; Conflicts: b",
        ]
    )
    assert [choice.name for choice in resolve(u, (), ["a", "m"])] == ["a", "c", "m", "n", "z1"]


def test_what_a_failed_branch_brought_is_dropped(universe: Build) -> None:
    u = universe(["a; Depends: b | c", "b; Depends: d, e, f", "d", "e", "f; Conflicts: a", "c"])
    assert [choice.name for choice in resolve(u, (), ["a"])] == ["a", "c"]


def test_an_installed_package_that_conflicts_is_upgraded_out_of_the_way(universe: Build, base: Base) -> None:
    u = universe(["a; Conflicts: b (<< 2)", "b 1; Conflicts: a"], ["b 2"])
    assert [str(c.name) for c in resolve(u, base("b 1"), ["a"])] == ["a", "b"]


def test_the_same_refusal_every_time(universe: Build) -> None:
    u = universe(["a; Depends: b | c", "b; Conflicts: x", "c; Conflicts: x", "x"])
    assert len({refusal(u, (), "x", "a") for _ in range(3)}) == 1

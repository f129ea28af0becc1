"""One test per rule by which apt chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builder.errors import NoSolutionError
from builder.resolve.debian.closure import base_set, plan, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from builder.resolve.debian.inventory import InstalledDeb
    from builder.resolve.debian.universe import Universe

    Build = Callable[..., Universe]
    Base = Callable[..., tuple[InstalledDeb, ...]]


def names(universe: Universe, installed: tuple[InstalledDeb, ...], *requests: str) -> str:
    """Return the answer as text: versions only where they are not 1."""
    return " ".join(
        choice.name if choice.version == "1" else f"{choice.name}={choice.version}"
        for choice in resolve(universe, installed, requests)
    )


def test_a_choice_names_its_bytes(universe: Build) -> None:
    (choice,) = resolve(universe(["a 2; Architecture: all"]), (), ["a"])
    assert (choice.name, choice.version, choice.arch) == ("a", "2", "all")
    assert (choice.filename, choice.size, choice.sha256) == ("pool/a.deb", 10, "0" * 64)
    assert (choice.index, choice.because) == ("index0", ("recipe",))


def test_dependencies_come_along_and_say_for_whom(universe: Build) -> None:
    answer = resolve(universe(["a; Depends: b", "b; Pre-Depends: c", "c"]), (), ["a"])
    assert [(choice.name, choice.because) for choice in answer] == [
        ("a", ("recipe",)),
        ("b", ("a",)),
        ("c", ("b",)),
    ]


def test_a_choice_names_what_meets_its_dependencies(universe: Build, base: Base) -> None:
    u = universe(["a; Depends: b | c, lib, v; Recommends: d", "b", "c", "d", "w; Provides: v", "lib"])
    answer = resolve(u, base("lib 1"), ["a"])
    assert {c.name: c.needs for c in answer} == {"a": ("b", "lib", "w"), "b": (), "w": ()}


def test_the_reason_is_the_nearest_to_the_requests(universe: Build, base: Base) -> None:
    u = universe(["a; Depends: b, c", "b; Depends: c, d", "c", "d; Breaks: e (<< 2)", "e 1"], ["e 2"])
    answer = resolve(u, base("e 1"), ["a", "b"])
    assert {c.name: c.because for c in answer} == {
        "a": ("recipe",),
        "b": ("recipe",),
        "c": ("a",),
        "d": ("b",),
        "e": ("d",),
    }


def test_an_upgrade_says_what_pushed_it(universe: Build, base: Base) -> None:
    u = universe(
        ["x 1; Source: s", "y 1; Source: s", "z 1; Depends: x (= 1)"],
        ["x 2; Source: s", "y 2; Source: s", "z 2; Depends: x (= 2)"],
    )
    answer = resolve(u, base("x 1", "y 1", "z 1"), ["x"])
    assert {c.name: c.because for c in answer} == {"x": ("recipe",), "y": ("x",), "z": ("x",)}


def test_recommends_and_suggests_do_not(universe: Build) -> None:
    assert names(universe(["a; Recommends: b; Suggests: c; Enhances: d", "b", "c", "d"]), (), "a") == "a"


def test_the_highest_version_of_all_pockets_is_the_candidate(universe: Build) -> None:
    u = universe(["a 1", "b 2"], ["a 1.1"], ["a 1.0.9", "b 1"])
    assert names(u, (), "a", "b") == "a=1.1 b=2"
    assert [choice.index for choice in resolve(u, (), ["a", "b"])] == ["index1", "index0"]


def test_the_same_version_in_two_pockets_comes_from_the_first(universe: Build) -> None:
    (choice,) = resolve(universe(["a 1"], ["a 1"]), (), ["a"])
    assert choice.index == "index0"


def test_epochs_and_tildes_order_versions(universe: Build) -> None:
    assert names(universe(["a 9", "a 1:1~rc1", "a 1:1"]), (), "a") == "a=1:1"


def test_other_architectures_are_not_there(universe: Build) -> None:
    u = universe(["a 2; Architecture: arm64", "a 1; Architecture: all"])
    assert names(u, (), "a") == "a"


def test_an_installed_package_that_satisfies_is_kept(universe: Build, base: Base) -> None:
    u = universe(["a; Depends: b (>= 1)", "b 1"], ["b 2"])
    assert names(u, base("b 1"), "a") == "a"


def test_an_installed_package_is_upgraded_when_a_dependency_needs_it(universe: Build, base: Base) -> None:
    u = universe(["a; Depends: b (>= 2)", "b 1"], ["b 2"])
    assert names(u, base("b 1"), "a") == "a b=2"


def test_an_installed_package_is_upgraded_when_asked_for(universe: Build, base: Base) -> None:
    assert names(universe(["b 1"], ["b 2"]), base("b 1"), "b") == "b=2"


def test_an_installed_package_newer_than_any_index_is_kept(universe: Build, base: Base) -> None:
    u = universe(["a; Depends: b", "b 1"])
    assert names(u, base("b 3"), "a", "b") == "a"


def test_asking_for_what_is_there_adds_nothing(universe: Build, base: Base) -> None:
    assert resolve(universe(["a"]), base("a 1"), ["a"]) == ()


def test_an_exact_version_can_be_asked_for(universe: Build) -> None:
    u = universe(["a 1", "a 2"])
    assert names(u, (), "a=1") == "a"
    with pytest.raises(NoSolutionError, match=r"package a has no version 3; the indices have 2, 1"):
        resolve(u, (), ["a=3"])


def test_the_first_alternative_that_exists_wins(universe: Build) -> None:
    u = universe(["a; Depends: nowhere | b | c", "b", "c"])
    assert names(u, (), "a") == "a b"


def test_an_alternative_with_the_wrong_version_is_passed_over(universe: Build) -> None:
    u = universe(["a; Depends: b (>= 2) | c", "b", "c"])
    assert names(u, (), "a") == "a c"


def test_an_installed_alternative_wins(universe: Build, base: Base) -> None:
    u = universe(["a; Depends: b | c", "b", "c"])
    assert names(u, base("c 1"), "a") == "a"


def test_an_alternative_that_is_requested_too_wins(universe: Build) -> None:
    u = universe(["a; Depends: b | c", "b", "c"])
    assert names(u, (), "a", "c") == "a c"


def test_an_alternative_that_was_chosen_before_wins(universe: Build) -> None:
    u = universe(["a; Depends: c, b | c", "b", "c"])
    assert names(u, (), "a") == "a c"


def test_upgrading_an_alternative_comes_before_a_new_package(universe: Build, base: Base) -> None:
    u = universe(["a; Depends: b (>= 2) | c (>= 2)", "b 2", "c 1"], ["c 2"])
    assert names(u, base("c 1"), "a") == "a c=2"


def test_an_alternative_that_cannot_be_had_is_given_up_with_all_it_brought(universe: Build) -> None:
    u = universe(["a; Depends: b | c", "b; Depends: d, e", "d", "e; Depends: nowhere", "c"])
    assert names(u, (), "a") == "a c"


def test_breaks_upgrades_what_is_installed(universe: Build, base: Base) -> None:
    u = universe(["a; Breaks: b (<< 2)", "b 1"], ["b 2"])
    assert names(u, base("b 1"), "a") == "a b=2"


def test_breaks_keeps_a_new_package_out(universe: Build) -> None:
    u = universe(["a; Breaks: b; Depends: b | c", "b", "c"])
    assert names(u, (), "a") == "a c"


def test_an_upgrade_takes_its_installed_dependents_along(universe: Build, base: Base) -> None:
    u = universe(
        ["a; Depends: lib (>= 2)", "lib 1", "tool 1; Depends: lib (= 1)"],
        ["lib 2", "tool 2; Depends: lib (= 2)"],
    )
    assert names(u, base("lib 1", "tool 1"), "a") == "a lib=2 tool=2"


def test_an_upgrade_takes_packages_of_the_same_source_along(universe: Build, base: Base) -> None:
    u = universe(
        ["a; Depends: x (>= 2)", "x 1; Source: s", "y 1; Source: s"], ["x 2; Source: s", "y 2; Source: s"]
    )
    assert names(u, base("x 1", "y 1"), "a") == "a x=2 y=2"
    u = universe(["a; Depends: x (>= 2)", "x 1", "y 1"], ["x 2", "y 2"])
    assert names(u, base("x 1", "y 1"), "a") == "a x=2"


def test_a_package_may_conflict_with_what_it_provides(universe: Build) -> None:
    u = universe(["a; Provides: v; Conflicts: v; Replaces: v", "b; Depends: v"])
    assert names(u, (), "b") == "a b"


def test_a_circle_of_dependencies_is_no_problem(universe: Build) -> None:
    assert names(universe(["a; Depends: b", "b; Depends: c", "c; Depends: a"]), (), "c") == "a b c"


def test_depth_does_not_matter(universe: Build) -> None:
    chain = [f"p{number}; Depends: p{number + 1}" for number in range(2500)]
    assert len(resolve(universe([*chain, "p2500"]), (), ["p0"])) == 2501


def test_a_second_resolution_does_not_see_the_first(universe: Build) -> None:
    u = universe(["a; Depends: b | c", "b; Conflicts: d", "c", "d"])
    first = plan(u, (), ["a"])
    assert names(u, (), "a", "d") == "a c d"
    assert plan(u, (), ["a"]) == first


def test_the_base_set_is_essential_required_and_extra(universe: Build) -> None:
    u = universe(
        [
            "apt; Priority: important; Depends: libapt",
            "bash; Essential: yes; Priority: required; Pre-Depends: libc6",
            "dash; Essential: yes; Priority: optional",
            "libapt; Priority: optional",
            "libc6; Priority: optional",
            "mount; Priority: required; Recommends: vim",
            "vim; Priority: optional",
        ]
    )
    assert [choice.name for choice in base_set(u)] == ["apt", "bash", "dash", "libapt", "libc6", "mount"]
    assert [choice.name for choice in base_set(u, ())] == ["bash", "dash", "libc6", "mount"]

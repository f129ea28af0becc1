"""Virtual packages, providers, architecture qualifiers: who stands for a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builder.errors import FetchError, NoSolutionError
from builder.resolve.debian.closure import resolve

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


def test_a_virtual_package_stands_for_its_provider(universe: Build) -> None:
    u = universe(["a; Depends: v", "p; Provides: v"])
    assert names(u, (), "a") == "a p"
    assert names(u, (), "v") == "p"


def test_an_installed_provider_satisfies(universe: Build, base: Base) -> None:
    u = universe(["a; Depends: v", "p; Provides: v", "q; Provides: v"])
    assert names(u, base("p 1"), "a") == "a"


def test_of_several_providers_the_real_package_wins(universe: Build) -> None:
    u = universe(["a; Depends: v", "v; Priority: extra", "p; Priority: required; Provides: v"])
    assert names(u, (), "a") == "a v"


def test_then_an_essential_one_then_the_more_important(universe: Build) -> None:
    rows = ["a; Depends: v", "p; Priority: important; Provides: v", "q; Priority: optional; Provides: v"]
    assert names(universe([*rows, "r; Priority: extra; Provides: v"]), (), "a") == "a p"
    assert names(universe([*rows, "r; Priority: extra; Essential: yes; Provides: v"]), (), "a") == "a r"
    assert names(universe([*rows, "r; Priority: extra; Protected: yes; Provides: v"]), (), "a") == "a r"


def test_then_the_one_that_the_indices_mention_last(universe: Build) -> None:
    p, q = "p; Priority: optional; Provides: v", "q; Priority: optional; Provides: v"
    assert names(universe(["a; Depends: v", p, q]), (), "a") == "a q"
    assert names(universe(["a; Depends: v", q, p]), (), "a") == "a p"
    # A relation, even a weak one, is a mention.
    assert names(universe(["a; Depends: v; Suggests: q", p, q]), (), "a") == "a p"
    assert names(universe(["a; Depends: v; Suggests: q:any", p, q]), (), "a") == "a q"


def test_several_providers_of_a_request_are_a_question(universe: Build) -> None:
    u = universe(["p; Provides: v", "q; Provides: v"])
    with pytest.raises(NoSolutionError, match=r"package v is virtual, provided by p, q") as caught:
        resolve(u, (), ["v"])
    assert caught.value.hint == "ask for one of them"


def test_a_versioned_dependency_needs_a_versioned_provides(universe: Build) -> None:
    u = universe(["a; Depends: v (>= 2)", "p; Provides: v", "q; Provides: v (= 1)", "r; Provides: v (= 2)"])
    assert names(u, (), "a") == "a r"


def test_provides_of_a_version_that_is_no_candidate_do_not_count(universe: Build) -> None:
    u = universe(["a; Depends: v", "p 1; Provides: v", "q; Priority: extra; Provides: v"], ["p 2"])
    assert names(u, (), "a") == "a q"


@pytest.mark.parametrize("qualifier", ["", ":native", ":amd64"])
def test_a_qualifier_of_this_architecture_changes_nothing(universe: Build, qualifier: str) -> None:
    assert names(universe([f"a; Depends: b{qualifier}", "b"]), (), "a") == "a b"


def test_any_needs_multi_arch_allowed(universe: Build) -> None:
    assert names(universe(["a; Depends: b:any", "b; Multi-Arch: allowed"]), (), "a") == "a b"
    for kind in ("foreign", "same", "no"):
        with pytest.raises(NoSolutionError, match=r"a 1 needs b:any, but no index has b:any"):
            resolve(universe(["a; Depends: b:any", f"b; Multi-Arch: {kind}"]), (), ["a"])


def test_any_carries_a_version_and_reaches_provided_names(universe: Build) -> None:
    u = universe(["a; Depends: b:any (>= 2)", "b 1; Multi-Arch: allowed"], ["b 2; Multi-Arch: allowed"])
    assert names(u, (), "a") == "a b=2"
    u = universe(
        ["a; Depends: v:any", "p; Provides: v", "q; Provides: v; Multi-Arch: allowed; Priority: extra"]
    )
    assert names(u, (), "a") == "a q"


def test_another_architecture_is_not_here(universe: Build) -> None:
    with pytest.raises(NoSolutionError, match=r"needs b:i386, but no index has b:i386"):
        resolve(universe(["a; Depends: b:i386", "b"]), (), ["a"])


@pytest.mark.parametrize("name", ["Provides", "Depends"])
def test_an_unreadable_relation_names_its_package(universe: Build, name: str) -> None:
    with pytest.raises(FetchError, match=rf"a 2: {name.lower()}: 'b c' is not a package relation"):
        resolve(universe([f"a 2; {name}: b c"]), (), ["a"])

"""A base image whose versions the indices may no longer have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from builder.errors import RecipeError
from builder.resolve.debian.closure import plan, resolve
from builder.resolve.debian.index import parse_status
from builder.resolve.debian.inventory import InstalledDeb, installed_stanzas

if TYPE_CHECKING:
    from collections.abc import Callable

    from builder.resolve.debian.universe import Universe

    Build = Callable[..., Universe]
    Base = Callable[..., tuple[InstalledDeb, ...]]


def versions(universe: Universe, installed: tuple[InstalledDeb, ...], *requests: str) -> str:
    return " ".join(f"{choice.name}={choice.version}" for choice in resolve(universe, installed, requests))


def test_a_known_version_is_the_universe_s_own(universe: Build, base: Base) -> None:
    u = universe(["a 1", "a 2"])
    assert installed_stanzas(u, base("a 1"))["a"] is u.find("a", "1")


def test_an_unknown_version_takes_part_with_what_the_newest_one_provides(universe: Build, base: Base) -> None:
    u = universe(
        ["a; Depends: v, w (= 1)", "b 3; Provides: v, w (= 3)", "c; Provides: v", "d; Provides: w (= 1)"]
    )
    assert versions(u, base("b 1"), "a") == "a=1"


def test_an_unknown_version_demanded_its_own_version(universe: Build, base: Base) -> None:
    u = universe(["lib 3", "tool 3; Depends: lib (= 3), new", "new", "a; Depends: lib (>= 2)"])
    stanza = installed_stanzas(u, base("lib 1", "tool 1"))["tool"]
    assert (stanza.depends, stanza.filename) == ("lib (= 1)", "")
    assert versions(u, base("lib 1", "tool 1"), "a") == "a=1 lib=3 new=1 tool=3"


def test_a_package_that_no_index_has_stays(universe: Build, base: Base) -> None:
    u = universe(["a; Depends: local (>= 2)", "b; Conflicts: local"])
    assert versions(u, base("local 2"), "a") == "a=1"
    assert plan(u, base("local 2"), ["b"]).removals == (("local", "2"),)


def test_the_status_file_s_own_relations_come_first(universe: Build) -> None:
    status = (
        b"Package: tool\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\nDepends: lib (<< 3)\n\n"
        b"Package: lib\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"
    )
    installed = tuple(InstalledDeb.of(stanza) for stanza in parse_status(status, place="status"))
    u = universe(["lib 3", "tool 3", "a; Depends: lib (>= 2)"])
    assert versions(u, installed, "a") == "a=1 lib=3 tool=3"


def test_a_foreign_package_is_refused(universe: Build) -> None:
    rows = [InstalledDeb(name="a", version="1", arch="i386")]
    with pytest.raises(RecipeError, match=r"the base has a of architecture i386, not amd64 or all"):
        resolve(universe(["a"]), rows, ["a"])


@pytest.mark.parametrize("version", ["1", "7"])
def test_a_package_twice_is_refused(universe: Build, base: Base, version: str) -> None:
    with pytest.raises(RecipeError, match=r"the base's inventory lists a twice"):
        resolve(universe(["a"]), base(f"a {version}", f"a {version}"), ["a"])

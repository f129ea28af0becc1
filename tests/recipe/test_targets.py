from __future__ import annotations

from dataclasses import replace

import pytest

from builder.errors import NoSolutionError, UsageError
from builder.model.target import Arch, Target
from builder.recipe.library import Library
from builder.recipe.reading import read_library
from builder.recipe.targets import check_refused, lockable_targets
from builder.selection import Selection
from tests.recipe.samples import SMALL, folder_files


def test_the_default_release_is_meant(library: Library) -> None:
    assert {target.release for target in lockable_targets(library, Selection())} == {"1.4.2"}


def test_refused_targets_are_meant_where_nothing_else_is(library: Library) -> None:
    chosen = lockable_targets(
        library, Selection(releases=("0.6.1",), frameworks=("sglang",), arches=(Arch.AARCH64,))
    )
    assert Target(release="0.6.1", platform="debian-12", framework="sglang", arch=Arch.AARCH64) in chosen


def test_a_refusal_without_platforms_is_about_every_one(library: Library) -> None:
    chosen = lockable_targets(library, Selection(releases=("1.6.0",), frameworks=("services",)))
    assert {(target.platform, target.arch) for target in chosen} == {
        (name, arch) for name in library.platforms for arch in Arch
    }
    for target in chosen:
        with pytest.raises(NoSolutionError, match="could not be read when locks were made"):
            check_refused(library, target)


def test_an_empty_selection_is_an_error() -> None:
    small = read_library(folder_files(SMALL / "recipes"))
    with pytest.raises(UsageError):
        lockable_targets(
            replace(small, releases={"1.0": replace(small.releases["1.0"], targets=())}), Selection()
        )

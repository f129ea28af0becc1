"""What a build runs is in its environment, and the OS is one that its recipe describes: else `lock` refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builder.errors import NoSolutionError, RecipeError
from builder.lockfile.lock import Lock
from builder.lockfile.reading import load_lock
from builder.model.target import Arch, Target
from builder.recipe.build_environments import check_build_environments
from builder.recipe.effective import effective_recipe
from builder.recipe.library import Library
from tests.recipe.samples import ROOT

LOCKS = ("1.4.2/debian-13/dynamo-x86_64", "1.4.2/debian-12/fabric-x86_64")


@pytest.fixture(scope="module", params=LOCKS)
def lock(request: pytest.FixtureRequest) -> Lock:
    return load_lock((ROOT / f"lock/{request.param}.toml").read_bytes(), place=request.param)


def without(lock: Lock, name: str) -> Lock:
    """Return a lock without an OS package or distribution of this name, or of a name that continues it."""
    return replace(
        lock,
        python=tuple(row for row in lock.python if row.name != name),
        os_packages=tuple(
            row for row in lock.os_packages if row.name != name and not row.name.startswith(f"{name}.")
        ),
    )


def test_committed_locks_have_what_their_builds_run(lock: Lock) -> None:
    check_build_environments(lock)


def test_a_build_without_make_is_refused(lock: Lock) -> None:
    with pytest.raises(
        RecipeError, match=r"runs make( or ninja)?, and nothing in its environment on debian-1\d brings"
    ):
        check_build_environments(without(lock, "make"))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("python3", "python3-minimal"), "it has a Python environment, and nothing .* brings python3"),
        (("pip",), "it runs pip, and nothing .* brings pip"),
    ],
)
def test_a_wheel_is_not_built_without_python_or_pip(names: tuple[str, ...], said: str) -> None:
    lock = load_lock((ROOT / f"lock/{LOCKS[0]}.toml").read_bytes(), place=LOCKS[0])
    for name in names:
        lock = without(lock, name)
    lock = replace(
        lock, os_packages=tuple(row for row in lock.os_packages if row.name != "python3.13-minimal")
    )
    with pytest.raises(RecipeError, match=said):
        check_build_environments(lock)


def test_without_python_at_all_the_missing_program_is_named() -> None:
    lock = load_lock((ROOT / f"lock/{LOCKS[0]}.toml").read_bytes(), place=LOCKS[0])
    packages = tuple(row for row in lock.os_packages if not row.name.startswith("python3"))
    bare = replace(lock, python=(), os_packages=packages)
    with pytest.raises(RecipeError, match=r"it runs python3, and nothing .* brings python3"):
        check_build_environments(bare)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("autoconf", "it runs autoreconf, and nothing .* brings autoreconf"),
        ("gcc", "which looks for a C compiler, and nothing .* brings one"),
    ],
)
def test_what_build_systems_run_themselves_is_there(name: str, said: str, lock: Lock) -> None:
    if name == "gcc":
        packages = tuple(row for row in lock.os_packages if not row.name.startswith(("gcc", "clang")))
        lock = replace(lock, os_packages=packages)
    with pytest.raises(RecipeError, match=said):
        check_build_environments(without(lock, name))


def test_variables_before_a_program_do_not_hide_it() -> None:
    """`env A=1 python3 -m pip wheel` is a step that runs python3 and pip."""
    name = "1.4.2/debian-13-cuda-13.0-python-3.12/experts-x86_64"
    lock = load_lock((ROOT / f"lock/{name}.toml").read_bytes(), place=name)
    build = next(build for build in lock.builds if build.component == "deep-ep")
    assert all(step[0] != "python3" for step in build.steps)
    check_build_environments(lock)
    with pytest.raises(RecipeError, match=r"deep-ep.*: it runs pip, and nothing .* brings pip"):
        check_build_environments(without(lock, "pip"))


@pytest.mark.parametrize("platform", ["ubuntu-24.04", "ubuntu-22.04"])
def test_a_source_is_not_built_on_an_os_that_its_recipe_does_not_describe(
    platform: str, library: Library
) -> None:
    target = Target(release="1.4.2", platform=platform, framework="dynamo", arch=Arch.X86_64)
    with pytest.raises(
        NoSolutionError, match=f"is described for debian-12 and debian-13, not for {platform}"
    ):
        effective_recipe(library, target)

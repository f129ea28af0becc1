from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import NoSolutionError, RecipeError, UsageError
from builder.lockfile.canonical import summary_digest
from builder.lockfile.lock import PythonPackage
from builder.lockfile.reading import load_lock
from builder.model.digest import Evidence, Sha256
from builder.model.table import Table
from builder.model.target import Arch, Target
from builder.recipe.assembly import missing_pins
from builder.recipe.effective import EffectiveRecipe, effective_recipe
from builder.recipe.environment_requests import os_requests, python_requests
from builder.recipe.freshness import changed_keys, fingerprint
from builder.recipe.library import Library
from builder.recipe.merged_rows import check_architecture_skew, merge_rows
from builder.recipe.placeholders import PlaceholderValues, fill_placeholders
from builder.recipe.reading import read_library
from builder.recipe.targets import check_refused, lockable_targets
from builder.selection import Selection

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/faults/project"


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def library() -> Library:
    """The recipes of this project."""
    return read_library(files(ROOT / "recipes"))


def recipe(
    library: Library, platform: str, framework: str = "dynamo", arch: Arch = Arch.X86_64
) -> EffectiveRecipe:
    return effective_recipe(
        library, Target(release="1.4.2", platform=platform, framework=framework, arch=arch)
    )


def test_components_come_after_what_they_need(library: Library) -> None:
    found = recipe(library, "debian-13-cuda-13.0", "vllm")
    names = [part.name for part in found.parts]
    for part in found.parts:
        assert all(names.index(need) < names.index(part.name) for need in part.needs)
    assert {"cuda", "gdrcopy", "libfabric", "nixl", "ucx"} <= set(names)


def test_without_cuda_nothing_needs_cuda(library: Library) -> None:
    found = recipe(library, "debian-13")
    assert [part.name for part in found.parts] == ["libfabric", "ucx", "nixl"]
    assert not [
        argument for part in found.parts for step in part.steps for argument in step if "/cuda" in argument
    ]


def test_one_version_is_built_for_one_framework_and_comes_as_a_wheel_for_another(library: Library) -> None:
    def of(framework: str) -> EffectiveRecipe:
        target = Target(release="0.8.0", platform="debian-12", framework=framework, arch=Arch.X86_64)
        return effective_recipe(library, target)

    built, published = of("dynamo"), of("vllm")
    assert next(part for part in built.parts if part.name == "nixl").needs == ("abseil", "libfabric", "ucx")
    assert "nixl" not in {name for name, _, _ in built.published}
    assert "nixl" not in [part.name for part in published.parts]
    assert ("nixl", "0.8.0") in {(name, version) for name, version, _ in published.published}


def test_what_the_base_image_provides_is_not_built(library: Library) -> None:
    found = recipe(library, "ubuntu-24.04-cuda-13.0", "vllm")
    assert "cuda" not in [part.name for part in found.parts]
    ucx = next(part for part in found.parts if part.name == "ucx")
    assert "--with-cuda=/usr/local/cuda" in [argument for step in ucx.steps for argument in step]
    assert "cuda" not in ucx.needs


def test_an_unreached_platform_says_what_is_missing(library: Library) -> None:
    missing = missing_pins(recipe(library, "ubuntu-24.04-cuda-13.0", "vllm"))
    assert "platform ubuntu-24.04-cuda-13.0: runtime image for x86_64" in missing
    assert "platform ubuntu-24.04-cuda-13.0: InRelease of noble" in missing


BRACES_OF_OTHERS = ("{jobs}", "{}", "{ gcc", "{nvshmem_dir}")
"""Braces that steps mean: the renderer's, C's, the shell's, and those of a Python file that `sed` edits."""


def test_no_placeholder_but_jobs_is_left(library: Library) -> None:
    for target in lockable_targets(library, Selection(releases=("all",))):
        for part in effective_recipe(library, target).parts:
            for step in part.steps:
                for argument in step:
                    left = argument
                    for known in BRACES_OF_OTHERS:
                        left = left.replace(known, "")
                    assert "{" not in left, (target, argument)


def test_roots_are_exact_and_families_bound(library: Library) -> None:
    found = recipe(library, "debian-13-cuda-13.0", "vllm")
    assert "ai-dynamo[vllm]==1.4.2" in found.roots
    assert {"nixl==1.3.2", "nixl-cu13==1.3.2", "flashinfer-python==0.6.14"} <= set(found.constraints)


def test_build_environments_ask_for_their_own(library: Library) -> None:
    requests = python_requests(recipe(library, "debian-13-cuda-13.0"), preferences={}, upgrade=())
    by_name = {request.environment: request for request in requests}
    assert set(by_name) == {"cuda", "installer", "nixl", "runtime"}
    assert by_name["installer"].roots == ("pip==26.2.1",)
    assert [item.name for item in by_name["runtime"].stand_ins] == ["nixl", "nixl-cu13"]
    assert by_name["nixl"].stand_ins == ()


def test_builds_see_the_run_packages_of_what_they_need(library: Library) -> None:
    asked = os_requests(recipe(library, "debian-13"))
    assert "librdmacm1" in asked["nixl"]
    assert "libabsl-dev" in asked["nixl"]
    assert "libabsl-dev" not in asked["runtime"]
    assert "autoconf" not in asked["runtime"]


def test_a_changed_flag_is_one_changed_key(library: Library) -> None:
    before = fingerprint(recipe(library, "debian-13"))
    ucx = library.components["ucx"]
    changed = replace(
        library, components={**library.components, "ucx": replace(ucx, flags=(*ucx.flags, "--new"))}
    )
    after = fingerprint(recipe(changed, "debian-13"))
    assert changed_keys(before, after) == ("component.ucx.steps",)
    assert summary_digest(before) != summary_digest(after)


def test_another_frameworks_pins_change_nothing(library: Library) -> None:
    release = library.releases["1.4.2"]
    pins = {**release.python, "vllm": Table({"vllm": "9.9.9"})}
    other = replace(library, releases={**library.releases, "1.4.2": replace(release, python=pins)})
    assert fingerprint(recipe(library, "debian-13")) == fingerprint(recipe(other, "debian-13"))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "lock").glob("*/*/*.toml")), ids=lambda path: "/".join(path.parts[-3:])
)
def test_committed_locks_fit_their_recipes(path: Path, library: Library) -> None:
    lock = load_lock(path.read_bytes(), place=str(path))
    found = effective_recipe(library, lock.target)
    assert changed_keys(lock.inputs, fingerprint(found)) == ()


def test_roots_do_not_differ_between_architectures() -> None:
    locks = [
        load_lock(path.read_bytes(), place=str(path)) for path in sorted((SMALL / "lock").glob("*/*/*.toml"))
    ]
    rows = {lock.arch: lock.python for lock in locks}
    assert set(rows) == set(Arch)
    check_architecture_skew(rows)
    other = tuple(replace(row, version="3.11") if row.name == "idna" else row for row in rows[Arch.AARCH64])
    with pytest.raises(NoSolutionError, match=r"^idna would .*: 3\.11 on aarch64, 3\.10 on x86_64$"):
        check_architecture_skew({**rows, Arch.AARCH64: other})
    for harmless in (replace(other[0], for_=("ucx",)), replace(other[0], via=("requests",))):
        check_architecture_skew({**rows, Arch.AARCH64: (harmless,)})


def test_equal_rows_of_several_environments_become_one() -> None:
    row = PythonPackage(
        name="a",
        version="1",
        file="a-1-py3-none-any.whl",
        sha256=Sha256("0" * 64),
        origin="pypi",
        evidence=Evidence.INDEX,
        for_=("runtime",),
        via=("recipe",),
    )
    (joined,) = merge_rows([row, replace(row, for_=("nixl",), via=("b",))])
    assert (joined.for_, joined.via) == (("nixl", "runtime"), ("b", "recipe"))


WORDS = PlaceholderValues(words=Table({"prefix": "/opt/x", "version": "1"}), gpu_archs=("80", "90"))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("--prefix={prefix}", "--prefix=/opt/x"),
        ("-j{jobs}", "-j{jobs}"),
        ("{gpu-archs:,}", "80,90"),
        ("{gpu-archs:;}", "80;90"),
        ("${HOME} {} { x }", "${HOME} {} { x }"),
    ],
)
def test_placeholders(text: str, filled: str) -> None:
    assert fill_placeholders(text, WORDS, place="here") == filled


@given(st.text(st.characters(exclude_characters="{}"), max_size=50))
def test_text_without_braces_is_left_alone(text: str) -> None:
    assert fill_placeholders(text, WORDS, place="here") == text


def test_an_unknown_placeholder_is_named() -> None:
    with pytest.raises(RecipeError) as caught:
        fill_placeholders("{prefx}", WORDS, place="here")
    assert (str(caught.value), caught.value.hint) == (
        "here: unknown placeholder '{prefx}'",
        "did you mean `{prefix}`?",
    )


def test_the_default_release_is_meant(library: Library) -> None:
    assert {target.release for target in lockable_targets(library, Selection())} == {"1.4.2"}


def test_refused_targets_are_meant_where_nothing_else_is(library: Library) -> None:
    chosen = lockable_targets(
        library, Selection(releases=("0.8.0",), frameworks=("vllm",), arches=(Arch.AARCH64,))
    )
    assert Target(release="0.8.0", platform="debian-12", framework="vllm", arch=Arch.AARCH64) in chosen


def test_a_refusal_without_platforms_is_about_every_one(library: Library) -> None:
    chosen = lockable_targets(library, Selection(releases=("1.6.0",), frameworks=("services",)))
    assert {(target.platform, target.arch) for target in chosen} == {
        (name, arch) for name in library.platforms for arch in Arch
    }
    for target in chosen:
        with pytest.raises(NoSolutionError, match="could not be read when locks were made"):
            check_refused(library, target)


def test_an_empty_selection_is_an_error() -> None:
    small = read_library(files(SMALL / "recipes"))
    with pytest.raises(UsageError):
        lockable_targets(
            replace(small, releases={"1.0": replace(small.releases["1.0"], targets=())}), Selection()
        )


def test_an_interpreter_of_our_own_is_built_before_every_environment(library: Library) -> None:
    found = recipe(library, "debian-13-cuda-13.0-python-3.12", "vllm")
    needs = {part.name: part.needs for part in found.parts}
    with_environment = {part.name for part in found.parts if part.build_requires}
    assert {"cuda", "flashinfer", "nixl"} <= with_environment
    assert all("cpython" in needs[name] for name in with_environment)
    assert needs["cpython"] == ()
    assert "cpython" not in needs["ucx"]
    asked = os_requests(found)
    assert not [name for names in asked.values() for name in names if name.startswith("python3")]
    assert "libffi8" in asked["runtime"]
    assert "libffi8" in asked["nixl"]
    assert {request.python for request in python_requests(found, preferences={}, upgrade=())} == {"3.12"}


def test_the_distribution_s_interpreter_needs_no_component(library: Library) -> None:
    found = recipe(library, "debian-13-cuda-13.0", "vllm")
    assert "cpython" not in [part.name for part in found.parts]
    assert "python3-dev" in os_requests(found)["runtime"]


def test_a_framework_s_own_component_version_comes_before_the_release_s(library: Library) -> None:
    versions = {
        name: {part.name: part.version for part in recipe(library, "debian-13-cuda-13.0", name).parts}["nixl"]
        for name in ("vllm", "sglang")
    }
    assert versions == {"vllm": "1.3.2", "sglang": "1.3.0"}


@pytest.mark.parametrize(
    ("framework", "platform", "said"),
    [
        ("services", "debian-13-cuda-13.0", "nothing in it uses CUDA: take the platform without"),
        ("fabric", "debian-12-python-3.12", "nothing in it depends on the interpreter"),
        ("vllm", "debian-12", "without CUDA it cannot move GPU memory"),
        ("kvbm", "debian-12", "kvbm supports Python 3.12, and debian-12 has 3.11"),
    ],
)
def test_a_framework_says_where_it_is_not_offered(
    library: Library, framework: str, platform: str, said: str
) -> None:
    with pytest.raises(NoSolutionError, match=re.escape(said)):
        recipe(library, platform, framework)

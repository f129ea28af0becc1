from __future__ import annotations

import re

import pytest

from builder.errors import NoSolutionError
from builder.model.target import Arch, Target
from builder.recipe.effective import EffectiveRecipe, effective_recipe
from builder.recipe.environment_requests import os_requests, python_requests
from builder.recipe.library import Library
from builder.recipe.targets import lockable_targets
from builder.selection import Selection
from tests.recipe.samples import effective_of

BRACES_OF_OTHERS = ("{jobs}", "{}", "{ gcc", "{nvshmem_dir}", "{file%%.so.*}")
"""Braces that steps mean: the renderer's, C's, the shell's, and those of a Python file that `sed` edits."""


def test_components_come_after_what_they_need(library: Library) -> None:
    found = effective_of(library, "debian-13-cuda-13.0", "vllm")
    names = [part.name for part in found.parts]
    for part in found.parts:
        assert all(names.index(need) < names.index(part.name) for need in part.needs)
    assert {"cuda", "gdrcopy", "libfabric", "nixl", "ucx"} <= set(names)


def test_without_cuda_nothing_needs_cuda(library: Library) -> None:
    found = effective_of(library, "debian-13")
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
    found = effective_of(library, "ubuntu-24.04-cuda-13.0", "efa")
    assert "cuda" not in [part.name for part in found.parts]
    ucx = next(part for part in found.parts if part.name == "ucx")
    assert "--with-cuda=/usr/local/cuda" in [argument for step in ucx.steps for argument in step]
    assert "cuda" not in ucx.needs


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
    found = effective_of(library, "debian-13-cuda-13.0", "vllm")
    assert "ai-dynamo[vllm]==1.4.2" in found.roots
    assert {"nixl==1.3.2", "nixl-cu13==1.3.2", "flashinfer-python==0.6.14"} <= set(found.constraints)


def test_an_interpreter_of_our_own_is_built_before_every_environment(library: Library) -> None:
    found = effective_of(library, "debian-13-cuda-13.0-python-3.12", "vllm")
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
    found = effective_of(library, "debian-13-cuda-13.0", "vllm")
    assert "cpython" not in [part.name for part in found.parts]
    assert "python3-dev" in os_requests(found)["runtime"]


def test_a_framework_s_own_component_version_comes_before_the_release_s(library: Library) -> None:
    versions = {
        name: {part.name: part.version for part in effective_of(library, "debian-13-cuda-13.0", name).parts}[
            "nixl"
        ]
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
        effective_of(library, platform, framework)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

from builder.errors import RecipeError
from builder.model.requirements import marker_environment
from builder.model.tags import (
    glibc_floor,
    target_tags,
    uv_platform,
    wheel_rank,
    wheel_tags,
)
from builder.model.target import Arch

X86 = target_tags(Arch.X86_64, "2.36", "3.12")
ARM = target_tags(Arch.AARCH64, "2.36", "3.12")


@pytest.mark.parametrize(
    ("glibc", "platform"),
    [
        ("2.17", "manylinux_2_17"),
        ("2.27", "manylinux_2_17"),
        ("2.28", "manylinux_2_28"),
        ("2.30", "manylinux_2_28"),
        ("2.36", "manylinux_2_36"),
        ("2.40", "manylinux_2_40"),
        ("2.41", "manylinux_2_40"),
        ("2.99", "manylinux_2_40"),
    ],
)
def test_uv_gets_the_newest_platform_that_fits(glibc: str, platform: str) -> None:
    assert uv_platform(Arch.AARCH64, glibc) == f"aarch64-{platform}"


@pytest.mark.parametrize("glibc", ["2.12", "3.0", "2", "2.x", "", "2.28\n", "musl"])
def test_impossible_glibc_is_refused(glibc: str) -> None:
    with pytest.raises(RecipeError):
        uv_platform(Arch.X86_64, glibc)


@pytest.mark.parametrize("python", ["2.7", "3", "3.13.1", "cp313"])
def test_impossible_python_is_refused(python: str) -> None:
    with pytest.raises(RecipeError):
        target_tags(Arch.X86_64, "2.36", python)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("cp312-cp312-manylinux_2_36_x86_64", "cp312-cp312-manylinux_2_28_x86_64"),
        ("cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_12_x86_64"),
        ("cp312-cp312-manylinux1_x86_64", "cp312-cp312-linux_x86_64"),
        ("cp312-cp312-linux_x86_64", "cp312-abi3-manylinux_2_36_x86_64"),
        ("cp312-abi3-manylinux2014_x86_64", "cp311-abi3-manylinux_2_36_x86_64"),
        ("cp39-abi3-manylinux2014_x86_64", "py3-none-manylinux_2_36_x86_64"),
        ("py3-none-manylinux2010_x86_64", "py3-none-any"),
        ("py312-none-any", "py3-none-any"),
        ("1-py3-none-any", "py3-none-any"),
        ("10-py3-none-any", "9-py3-none-any"),
        ("1b-py3-none-any", "1a-py3-none-any"),
        ("1ab-py3-none-any", "1a-py3-none-any"),
        ("1a-py3-none-any", "1-py3-none-any"),
        ("2-py3-none-any", "1z-py3-none-any"),
        ("0-py3-none-any", "py3-none-any"),
    ],
)
def test_order_of_preference(better: str, worse: str) -> None:
    first, second = wheel_rank(f"a-1-{better}.whl", X86), wheel_rank(f"a-1-{worse}.whl", X86)
    assert first is not None
    assert second is not None
    assert first < second


@pytest.mark.parametrize(
    "tag",
    [
        "cp312-cp312-manylinux_2_37_x86_64",
        "cp312-cp312-manylinux_2_28_aarch64",
        "cp313-cp313-manylinux_2_28_x86_64",
        "cp313-abi3-manylinux_2_28_x86_64",
        "cp312-cp312t-manylinux_2_28_x86_64",
        "cp312-cp312-musllinux_1_2_x86_64",
        "cp312-cp312-macosx_11_0_x86_64",
        "py2-none-any",
        "pp310-pypy310_pp73-manylinux_2_17_x86_64",
    ],
)
def test_what_the_target_cannot_use(tag: str) -> None:
    assert wheel_rank(f"a-1-{tag}.whl", X86) is None


def test_aarch64_has_no_manylinux_before_2014() -> None:
    assert wheel_rank("a-1-cp312-cp312-manylinux2014_aarch64.whl", ARM) is not None
    assert wheel_rank("a-1-cp312-cp312-manylinux2010_aarch64.whl", ARM) is None


def test_no_wheel_name_has_no_rank() -> None:
    assert wheel_rank("a-1.tar.gz", X86) is None
    assert wheel_tags("a-1.zip") == frozenset()


@given(st.integers(5, 60), st.sampled_from(["x86_64", "aarch64"]))
def test_floor_of_a_platform_tag(minor: int, arch: str) -> None:
    assert glibc_floor(f"manylinux_2_{minor}_{arch}") == ((2, minor), arch)


@given(st.lists(st.from_regex(r"\A([0-9]{1,3}[a-z_]{0,3})?\Z"), min_size=2, max_size=2, unique=True))
def test_build_tags_are_in_the_order_of_packaging(builds: list[str]) -> None:
    files = [f"a-1-{build}-py3-none-any.whl" if build else "a-1-py3-none-any.whl" for build in builds]
    parsed = [parse_wheel_filename(file)[2] for file in files]
    ranks = [rank for file in files if (rank := wheel_rank(file, X86))]
    if parsed[0] != parsed[1]:
        assert (ranks[0] < ranks[1]) == (parsed[0] > parsed[1])


def test_floor_of_other_platform_tags() -> None:
    assert glibc_floor("manylinux2014_aarch64") == ((2, 17), "aarch64")
    assert glibc_floor("manylinux1_x86_64") == ((2, 5), "x86_64")
    assert glibc_floor("linux_x86_64") is None
    assert glibc_floor("any") is None


def test_newer_glibc_only_adds_tags() -> None:
    newer = target_tags(Arch.X86_64, "2.41", "3.12")
    assert set(X86) < set(newer)
    assert Tag("cp312", "cp312", "manylinux_2_41_x86_64") in newer
    assert [tag for tag in newer if tag in X86] == list(X86)


def test_markers_describe_the_target_alone() -> None:
    environment = marker_environment(Arch.AARCH64, "3.13")
    assert environment["platform_machine"] == "aarch64"
    assert environment["python_version"] == "3.13"
    assert "python_full_version" not in environment, "a patch release is never guessed"
    assert marker_environment(Arch.AARCH64, "3.13", "3.13.5")["python_full_version"] == "3.13.5"
    assert environment["platform_release"] == ""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builder.errors import NoSolutionError
from builder.lockfile.lock import PythonPackage
from builder.lockfile.reading import load_lock
from builder.model.digest import Evidence, Sha256
from builder.model.target import Arch
from builder.recipe.assembly import check_architecture_skew, merge_rows, missing_pins
from builder.recipe.library import Library
from tests.recipe.samples import SMALL, effective_of


def test_an_unreached_platform_says_what_is_missing(library: Library) -> None:
    missing = missing_pins(effective_of(library, "ubuntu-24.04-cuda-13.0", "efa"))
    assert (
        "platform ubuntu-24.04-cuda-13.0: digest of the image docker.io/nvidia/cuda:13.0.2-runtime-ubuntu24.04 for x86_64"
        in missing
    )
    assert "platform ubuntu-24.04-cuda-13.0: InRelease of noble" in missing


def row(
    name: str, version: str = "1", *, environment: str = "runtime", digest: str = "aa", **more: Any
) -> PythonPackage:
    return PythonPackage(
        name=name,
        version=version,
        for_=(environment,),
        evidence=Evidence.INDEX,
        file=f"{name}-{version}-py3-none-any.whl",
        sha256=Sha256(digest * 32),
        origin=more.pop("origin", "pypi"),
        **more,
    )


def test_equal_bytes_become_one_row() -> None:
    merged = merge_rows(
        [
            row("b", via=("recipe",)),
            row("a"),
            row("b", environment="ucx", via=("x",), extras=("e",)),
            row("b", "2", environment="ucx"),
        ]
    )
    assert [(item.name, item.version, item.for_) for item in merged] == [
        ("a", "1", ("runtime",)),
        ("b", "1", ("runtime", "ucx")),
        ("b", "2", ("ucx",)),
    ]
    assert merged[1].via == ("recipe", "x")
    assert merged[1].extras == ("e",)


def test_two_files_of_one_name_are_refused() -> None:
    rows = [row("a"), row("a", environment="ucx", digest="bb", origin="other")]
    with pytest.raises(NoSolutionError, match=r"a-1-py3-none-any.whl is two different files"):
        merge_rows(rows)


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

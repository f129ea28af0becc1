"""What building one component alone reads of a lock."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builder.build import read_graph, stages_for
from builder.errors import UsageError
from builder.lockfile import BASE, INSTALLER, Lock, component_part, parse_lock
from builder.render import Addresses, Inputs, output_stages, render

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "lock" / "1.4.2"


def vllm_lock(platform: str = "debian-13-assembled-cuda-13.0") -> Lock:
    path = LOCKS / platform / "vllm-x86_64.toml"
    return parse_lock(path.read_bytes(), place=path.name)


def test_only_the_rows_that_the_component_reads_stay() -> None:
    lock = vllm_lock()
    part = component_part(lock, "flashinfer")
    assert [build.component for build in part.builds] == ["flashinfer"]
    assert (part.sources, [row.component for row in part.archives]) == ((), ["flashinfer"])
    assert {row.name for row in part.python} == {
        row.name for row in lock.python if {"flashinfer", INSTALLER} & {*row.for_}
    }
    assert len(part.python) < 20 < len(lock.python)
    assert all({"flashinfer", BASE} & {*row.for_} for row in part.os_packages)
    assert part.images == lock.images


def test_what_a_component_needs_comes_with_it() -> None:
    part = component_part(vllm_lock(), "nixl")
    assert {build.component for build in part.builds} == {"nixl", "ucx", "libfabric", "gdrcopy", "cuda"}
    assert {row.component for row in part.sources} == {"nixl", "ucx", "libfabric", "gdrcopy"}


def test_an_interpreter_that_is_built_comes_with_a_build_that_uses_python() -> None:
    part = component_part(vllm_lock("debian-13-assembled-cuda-13.0-python-3.12"), "flashinfer")
    assert {build.component for build in part.builds} == {"flashinfer", "cpython"}


def test_a_component_that_is_not_built_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="'uxc' is not built for") as caught:
        component_part(vllm_lock(), "uxc")
    assert (
        caught.value.hint == "name one of these: cuda, cuda-home, flashinfer, gdrcopy, libfabric, ucx, nixl"
    )


@pytest.mark.parametrize("component", ["flashinfer", "cuda", "nixl"])
def test_every_file_that_its_stages_copy_from_the_store_is_a_row_of_the_part(component: str) -> None:
    lock = vllm_lock()
    rendered = render(((lock, b""),), inputs=Inputs.STORE, addresses=Addresses()).dockerfile
    part = component_part(lock, component)
    digests = {str(row.sha256) for table in (part.python, part.os_packages, part.archives) for row in table}
    digests |= {str(row.sha256) for row in part.sources} | {str(image.tar) for image in part.images}
    read = read_digests(rendered + output_stages([lock], component))
    assert read, "the stages read nothing"
    assert read <= digests


def read_digests(dockerfile: str) -> set[str]:
    """Return the SHA-256 of every file of the store that the stages of `output-x86_64` copy."""
    wanted = set(stages_for(read_graph(dockerfile), "output-x86_64", ("amd64",)))
    found: set[str] = set()
    stage = ""
    for line in dockerfile.splitlines():
        match = re.match(r"FROM \S+ AS (\S+)", line)
        stage = match[1] if match else stage
        if stage in wanted:
            found |= {a + b for a, b in re.findall(r"sha256/(..)/([0-9a-f]{62})", line)}
    return found

"""The stage graph: what a changed row rebuilds, and how many files a stage holds."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from builder.lockfile.lock import Lock
from builder.model.digest import Sha256
from builder.render.fetches import Addresses, Inputs
from builder.render.files import render
from tests.render.golden import locks, rendered
from tests.render.reader import Read, read, stages

OTHER = Sha256("f" * 64)


def fabric() -> Lock:
    return next(lock for lock, _ in locks("fabric") if lock.arch == "x86_64")


def text_of(lock: Lock) -> str:
    return render([(lock, b"")], inputs=Inputs.STORE, addresses=Addresses()).dockerfile


def bodies(text: str) -> dict[str, tuple[str, list[tuple[object, ...]]]]:
    return {
        stage.name: (stage.base, [(i.keyword, i.options, i.rest, i.heredoc) for i in stage.body])
        for stage in stages(read(text))
    }


def sources(item: Read) -> set[str]:
    found = set()
    for option in item.options:
        name = option.partition("from=")[2].partition(",")[0]
        if name:
            found.add(name)
    return found


def rebuilt(before: str, after: str) -> set[str]:
    """Return the stages that a builder with a warm cache runs again: the changed ones and what reads them."""
    old, new = bodies(before), bodies(after)
    dirty = {name for name in new if old.get(name) != new[name]}
    for stage in stages(read(after)):
        read_from = {stage.base.replace("${TARGETARCH}", "amd64")}
        read_from |= {name for item in stage.body for name in sources(item)}
        if read_from & dirty:
            dirty.add(stage.name)
    return {name.removesuffix("-x86_64") for name in dirty if name.endswith("-x86_64")}


IMAGE = {"runtime", "check"}


@pytest.mark.parametrize(
    ("table", "name", "expected"),
    [
        ("archives", "hwloc", {"inputs-hwloc", "hwloc"}),
        ("archives", "nats-server", {"inputs-nats-server", "nats-server"}),
        ("sources", "nixl", {"source-nixl", "nixl", "python"}),
        ("sources", "gdrcopy", {"source-gdrcopy", "gdrcopy", "ucx", "nixl", "python"}),
        ("os_packages", "openssl", {"debs-runtime", "os", "python"}),
        ("os_packages", "autoconf", {"debs-ucx", "toolchain-ucx", "ucx", "nixl", "python"}),
        ("python", "torch", {"wheels-runtime", "python"}),
        ("python", "meson", {"wheels-nixl", "nixl", "python"}),
    ],
)
def test_one_changed_pin_rebuilds_only_its_dependants(table: str, name: str, expected: set[str]) -> None:
    lock = fabric()
    rows = tuple(
        dataclasses.replace(row, sha256=OTHER)
        if name in {getattr(row, "name", ""), getattr(row, "component", "")}
        else row
        for row in getattr(lock, table)
    )
    changes: dict[str, Any] = {table: rows}
    changed = dataclasses.replace(lock, **changes)
    assert rebuilt(text_of(lock), text_of(changed)) == expected | IMAGE


def test_a_changed_flag_rebuilds_its_component_and_what_needs_it() -> None:
    lock = fabric()
    builds = tuple(
        dataclasses.replace(build, steps=(*build.steps, ("true",))) if build.component == "ucx" else build
        for build in lock.builds
    )
    assert (
        rebuilt(text_of(lock), text_of(dataclasses.replace(lock, builds=builds)))
        == {"ucx", "nixl", "python"} | IMAGE
    )


def test_the_other_architecture_is_left_alone() -> None:
    text = rendered("fabric", Inputs.STORE).dockerfile
    for stage in stages(read(text)):
        for arch, other in (("x86_64", "aarch64"), ("aarch64", "x86_64")):
            if stage.name.endswith(f"-{arch}"):
                names = {stage.base, *(name for item in stage.body for name in sources(item))}
                assert not any(name.endswith(other) for name in names)


def test_no_stage_has_more_files_than_an_image_has_layers() -> None:
    for stage in stages(read(rendered("two-bases", Inputs.REMOTE).dockerfile)):
        assert sum(item.keyword in {"ADD", "COPY"} for item in stage.body) <= 91


def test_many_archives_are_seen_in_one_folder() -> None:
    lock = fabric()
    (one,) = (row for row in lock.archives if row.component == "hwloc")
    many = tuple(dataclasses.replace(one, file=f"part-{number:03}.bin") for number in range(200))
    archives = tuple(row for row in lock.archives if row.component != "hwloc") + many
    found = bodies(text_of(dataclasses.replace(lock, archives=archives)))
    _, whole = found["inputs-hwloc-x86_64"]
    copied = [options[1] for keyword, options, rest, heredoc in whole if heredoc is None]  # type: ignore[index]
    assert copied == [f"--from=inputs-hwloc-part-{number}-x86_64" for number in (1, 2, 3)]
    assert len(whole[-1][3]) == 200  # type: ignore[arg-type]


def test_builds_with_the_same_packages_share_a_toolchain() -> None:
    found = bodies(rendered("fabric", Inputs.STORE).dockerfile)
    assert found["cuda-x86_64"][0] == found["nixl-x86_64"][0] == "toolchain-cuda-x86_64"
    assert found["nats-server-x86_64"][0] == "base-x86_64"


def test_only_install_prefixes_reach_the_image() -> None:
    _, body = bodies(rendered("fabric", Inputs.STORE).dockerfile)["runtime-x86_64"]
    copied = {rest for keyword, _, rest, heredoc in body if keyword == "COPY" and heredoc is None}
    prefixes = ("/opt/gdrcopy", "/opt/hwloc", "/opt/nats", "/opt/ucx", "/opt/nixl", "/opt/venv")
    assert copied == {f"{prefix} {prefix}" for prefix in prefixes}

"""The layer plan: what shares a layer, how many there are, and which keys a change moves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from builder.layers import LARGE_WHEEL, LAYER_LIMIT, LayerKind, LayerPlan, layer_totals, plan_layers
from builder.lockfile import RUNTIME, Lock, parse_lock, row_label
from builder.model import Sha256

ROOT = Path(__file__).resolve().parents[2] / "lock"
VLLM = "1.4.2/debian-13-assembled-cuda-13.0/vllm-x86_64.toml"
OTHER_BYTES = Sha256("ab" * 32)


@cache
def read(path: str = VLLM) -> Lock:
    return parse_lock((ROOT / path).read_bytes(), place=path)


@cache
def every_plan() -> tuple[tuple[Lock, LayerPlan], ...]:
    paths = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("1.*/*/*.toml"))
    assert len(paths) > 50
    return tuple((read(path), plan_layers(read(path))) for path in paths)


def changed(section: str, name: str, **fields: Any) -> Lock:
    lock = read()
    rows = getattr(lock, section)
    key = "component" if hasattr(rows[0], "component") else "name"
    assert name in {getattr(row, key) for row in rows}
    whole: dict[str, Any] = {
        section: tuple(
            dataclasses.replace(row, **fields) if getattr(row, key) == name else row for row in rows
        )
    }
    return dataclasses.replace(lock, **whole)


def moved(lock: Lock) -> set[str]:
    """Return the names of the layers whose key is not that of the committed lock."""
    before = {layer.name: layer.key for layer in plan_layers(read()).layers}
    after = {layer.name: layer.key for layer in plan_layers(lock).layers}
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_one_changed_small_wheel_moves_one_bucket() -> None:
    holding = {layer.name for layer in plan_layers(read()).layers if any(" idna " in r for r in layer.rows)}
    assert len(holding) == 1
    assert moved(changed("python", "idna", sha256=OTHER_BYTES)) == holding


def test_a_changed_torch_moves_exactly_its_own_layer() -> None:
    assert moved(changed("python", "torch", sha256=OTHER_BYTES)) == {"wheel torch"}


def test_a_wheel_that_is_gone_moves_no_other() -> None:
    lock = read()
    gone = dataclasses.replace(lock, python=tuple(row for row in lock.python if row.name != "ray"))
    assert moved(gone) == {"wheel ray"}


def test_a_changed_component_moves_itself_and_what_is_built_with_it() -> None:
    lock = read()
    needing = {"libfabric"}
    for build in lock.builds:  # in the order in which they run
        if needing & {*build.needs}:
            needing.add(build.component)
    assert len(needing) > 1
    names = {f"component {name}" for name in needing} | {f"wheels of {name}" for name in needing}
    found = moved(changed("sources", "libfabric", sha256=OTHER_BYTES))
    assert found == (names & {layer.name for layer in plan_layers(lock).layers}) | {"linker cache"}


def test_what_does_not_reach_an_installed_wheel_moves_no_wheel() -> None:
    lock = dataclasses.replace(read(), release="9.9.9", platform="elsewhere", source_date_epoch=1)
    assert not {name for name in moved(lock) if name.startswith(("wheel ", "bucket"))}


def with_environment(**fields: Any) -> Lock:
    return dataclasses.replace(read(), environment=dataclasses.replace(read().environment, **fields))


@pytest.mark.parametrize(
    "change",
    [
        lambda: with_environment(python_prefix="/opt/other"),
        lambda: with_environment(python="3.12"),
        lambda: changed("python", "pip", sha256=OTHER_BYTES),
    ],
    ids=["prefix", "Python", "installer"],
)
def test_prefix_python_and_installer_move_every_wheel(change: Callable[[], Lock]) -> None:
    wheels = {layer.name for layer in plan_layers(read()).layers if layer.kind is LayerKind.WHEEL}
    assert wheels <= moved(change())


def image_labels(lock: Lock) -> Iterator[str]:
    """Yield the labels of the rows that reach the image, of which every layer is made."""
    yield from (row_label(row) for row in lock.python if RUNTIME in row.for_)
    yield from (row_label(build) for build in lock.builds if build.runtime and build.prefix)
    yield from (row_label(row) for row in lock.os_packages if {RUNTIME, "base"} & {*row.for_})


def test_every_row_of_every_image_is_in_exactly_one_layer() -> None:
    for lock, plan in every_plan():
        held = [row for layer in plan.layers for row in layer.rows if not row.startswith("images ")]
        assert sorted(held) == sorted(image_labels(lock)), lock.target


def test_every_plan_stays_below_the_limit_and_every_large_wheel_is_alone() -> None:
    for lock, plan in every_plan():
        assert len(plan.layers) < LAYER_LIMIT, lock.target
        assert len({layer.name for layer in plan.layers}) == len(plan.layers)
        large = {row_label(r) for r in lock.python if RUNTIME in r.for_ and (r.size or 0) >= LARGE_WHEEL}
        alone = [row for layer in plan.layers if layer.kind is LayerKind.WHEEL for row in layer.rows]
        assert sorted(large) == sorted(alone), lock.target


def test_beyond_the_limit_components_share_buckets_and_large_wheels_never_do() -> None:
    lock = read()
    model = next(build for build in lock.builds if build.runtime and build.prefix)
    many = tuple(
        dataclasses.replace(model, component=f"part-{number}", needs=(), archives=()) for number in range(80)
    )
    plan = plan_layers(dataclasses.replace(lock, builds=(*lock.builds, *many)))
    assert len(plan.layers) <= LAYER_LIMIT
    held = [row for layer in plan.layers for row in layer.rows]
    assert all(held.count(f"builds part-{number} {model.version}") == 1 for number in range(80))
    before = [layer for layer in plan_layers(lock).layers if layer.kind is LayerKind.WHEEL]
    assert [layer for layer in plan.layers if layer.kind is LayerKind.WHEEL] == before


def test_a_registry_with_all_images_needs_a_fraction_of_their_sum() -> None:
    total = layer_totals(plan for _, plan in every_plan())
    assert total.distinct_size * 3 < total.size
    assert total.distinct_layers < total.layers

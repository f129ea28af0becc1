"""The stages that hold what one component makes, after a rendered Dockerfile."""

from __future__ import annotations

import dataclasses

import pytest

from builder.errors import UsageError
from builder.render.components import output_stages
from builder.render.fetches import Inputs
from tests.render.golden import locks, rendered
from tests.render.reader import read, stages


def test_the_last_stage_holds_the_prefix_alone() -> None:
    both = [lock for lock, _ in locks("fabric")]
    text = rendered("fabric", Inputs.STORE).dockerfile + output_stages(both, "ucx")
    found = {stage.name: stage for stage in stages(read(text))}
    assert list(found)[-1] == "output"
    assert found["output"].base == "output-${TARGETARCH}"
    for arch, name in (("x86_64", "amd64"), ("aarch64", "arm64")):
        assert found[f"output-{name}"].base == f"output-{arch}"
        alone = found[f"output-{arch}"]
        assert alone.base == "scratch"
        (copy,) = alone.body
        assert (copy.keyword, copy.rest) == ("COPY", "/opt/ucx /opt/ucx")
        assert f"--from=ucx-{arch}" in copy.options


def test_wheels_are_held_too() -> None:
    (lock, _), *_ = locks("fabric")
    first, *others = lock.builds
    made = dataclasses.replace(first, prefix="", wheels=("thing",))
    text = output_stages([dataclasses.replace(lock, builds=(made, *others))], first.component)
    assert f"COPY --link --from={first.component}-{lock.arch} /wheels /wheels\n" in text


def test_an_architecture_without_a_lock_ends_in_its_name() -> None:
    one = [lock for lock, _ in locks("fabric") if lock.arch == "x86_64"]
    assert "no-lock-for-aarch64" in output_stages(one, "ucx")


def test_what_no_lock_builds_is_refused_with_what_it_builds() -> None:
    both = [lock for lock, _ in locks("fabric")]
    with pytest.raises(UsageError, match=r"^--component: 'uxc' is not built for ") as caught:
        output_stages(both, "uxc")
    assert "ucx" in caught.value.hint

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from builder.lockfile.lock import summary_digest
from builder.lockfile.reading import load_lock
from builder.model.structuring import Table
from builder.recipe.effective import effective_recipe
from builder.recipe.freshness import changed_keys, fingerprint
from builder.recipe.library import Library
from tests.recipe.samples import ROOT, effective_of


def test_a_changed_flag_is_one_changed_key(library: Library) -> None:
    before = fingerprint(effective_of(library, "debian-13"))
    ucx = library.components["ucx"]
    changed = replace(
        library, components={**library.components, "ucx": replace(ucx, flags=(*ucx.flags, "--new"))}
    )
    after = fingerprint(effective_of(changed, "debian-13"))
    assert changed_keys(before, after) == ("component.ucx.steps",)
    assert summary_digest(before) != summary_digest(after)


def test_another_frameworks_pins_change_nothing(library: Library) -> None:
    release = library.releases["1.4.2"]
    pins = {**release.python, "vllm": Table({"vllm": "9.9.9"})}
    other = replace(library, releases={**library.releases, "1.4.2": replace(release, python=pins)})
    assert fingerprint(effective_of(library, "debian-13")) == fingerprint(effective_of(other, "debian-13"))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "lock").glob("*/*/*.toml")), ids=lambda path: "/".join(path.parts[-3:])
)
def test_committed_locks_fit_their_recipes(path: Path, library: Library) -> None:
    lock = load_lock(path.read_bytes(), place=str(path))
    found = effective_recipe(library, lock.target)
    assert changed_keys(lock.inputs, fingerprint(found)) == ()

"""T9: what a framework downloads when it runs is in no lock, and is said by recipe, lock, Dockerfile and fetch."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from builder.console import Console
from builder.lockfile.lock import RUNTIME
from builder.lockfile.reading import load_lock
from builder.origins.origins import Origin, Origins
from builder.project import Project
from builder.render.fetches import Addresses, Inputs
from builder.render.files import render
from builder.selection import Selection
from builder.store.store import Store
from tests.commands.fetching import fetch_into

ROOT = Path(__file__).parents[2]
FETCHING = {"ai-dynamo", "torch"}
"""Whatever serves models fetches at least their tokenizers; torch compiles kernels."""
LOCKS = sorted((ROOT / "lock").glob("*/*/*.toml"))


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: "/".join(file.parts[-3:]))
def test_every_lock_says_what_is_had_at_run_time(file: Path) -> None:
    lock = load_lock(file.read_bytes(), place=file.name)
    runs = {row.name for row in lock.python if RUNTIME in row.for_}
    assert bool(lock.runtime.downloads) == bool(runs & FETCHING), "said where it is so, and only there"
    kernels = {"flashinfer-python", "vllm", "sglang"} & {row.name for row in lock.python}
    if kernels:
        assert any(
            word in " ".join(lock.runtime.downloads).lower() for word in ("jit", "compile", "kernel", "cubin")
        )


def test_dockerfile_and_fetch_say_it(tmp_path: Path) -> None:
    data = (ROOT / "tests/golden/fabric/lock-x86_64.toml").read_bytes()
    lock = load_lock(data, place="golden")
    (statement,) = lock.runtime.downloads
    text = render(((lock, data),), inputs=Inputs.STORE, addresses=Addresses()).dockerfile
    assert f"# - {statement}" in text
    place = tmp_path / "lock" / lock.target.path
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    names = {row.origin for row in lock.python if row.origin} | {row.origin for row in lock.os_packages}
    names |= {row.origin for row in lock.archives}
    out, err = io.StringIO(), io.StringIO()
    project = Project(
        root=tmp_path,
        store=Store(tmp_path / "store"),
        origins=Origins(
            origins=tuple(
                Origin(name=name, url=f"https://{name}.invalid/", layout="pool") for name in sorted(names)
            )
        ),
        console=Console(out, err),
    )
    everything = Selection(releases=("all",), platforms=(), frameworks=(), arches=())
    fetch_into(project, everything, dry_run=True)
    assert f"{lock.framework}: {statement}" in err.getvalue()
    fetch_into(project, everything, dry_run=True, json=True)
    assert json.loads(out.getvalue()[out.getvalue().index("{") :])["at run time"] == [
        f"{lock.framework}: {statement}"
    ]

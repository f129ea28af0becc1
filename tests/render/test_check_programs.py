"""The stage of checks: programs out of the store, verified and mounted, and nothing that needs a GPU."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from builder.console import Console
from builder.errors import DigestMismatchError, FetchError
from builder.lockfile import Check, Lock
from builder.model import Sha256
from builder.origins import Origins
from builder.project import Project
from builder.provision import fill_store
from builder.render.fetches import Addresses, Inputs
from builder.render.files import render
from builder.store import Store
from tests.render.golden import locks

PROGRAM = b"print('closed')\n"
DIGEST = Sha256.of(PROGRAM)
CHECKS = (
    Check(
        run=("python", "/checks/closure.py", "it's"),
        expect="closed",
        program="checks/closure.py",
        sha256=DIGEST,
        seconds=60,
    ),
    Check(
        run=("python", "/checks/closure.py", "--gpu"), program="checks/closure.py", sha256=DIGEST, needs="gpu"
    ),
    Check(run=("true",)),
)


def lock_with_checks() -> Lock:
    """Return a lock of the golden cases with these checks."""
    (lock, _), *_ = locks("fabric")
    return dataclasses.replace(lock, runtime=dataclasses.replace(lock.runtime, checks=CHECKS))


def test_programs_come_from_the_store_and_are_verified_before_they_run() -> None:
    lock = lock_with_checks()
    text = render(((lock, b""),), inputs=Inputs.STORE, addresses=Addresses()).dockerfile
    store = f"COPY --link --from=store sha256/{DIGEST[:2]}/{DIGEST[2:]} /closure.py"
    assert text.count(store) == 1
    check = text.partition(f"AS check-{lock.arch}\n")[2].partition("\n\n")[0]
    assert f"--mount=type=bind,from=check-programs-{lock.arch},target=/checks" in check
    verified = check.index("env --chdir=/checks sha256sum --check")
    assert verified < check.index("timeout --kill-after=10 60 python /checks/closure.py 'it'\"'\"'s'")
    assert "--gpu" not in check
    assert check.count("RUN ") == 2 + sum(len(build.checks) for build in lock.builds if build.runtime)


def project(root: Path) -> Project:
    """Return a project with an empty store."""
    return Project(root=root, store=Store(root / "store"), origins=Origins(), console=Console(quiet=True))


def only_programs(lock: Lock) -> Lock:
    """Return a lock that needs nothing but the programs of its checks."""
    return dataclasses.replace(lock, sources=(), images=(), builds=())


def test_a_build_brings_programs_from_the_recipes_or_finds_them_in_the_store(tmp_path: Path) -> None:
    lock = only_programs(lock_with_checks())
    (tmp_path / "recipes/checks").mkdir(parents=True)
    file = tmp_path / "recipes/checks/closure.py"
    file.write_bytes(PROGRAM)
    assert str(DIGEST) in fill_store(project(tmp_path), [lock], Inputs.REMOTE).digests()
    assert project(tmp_path).store.read(DIGEST) == PROGRAM
    file.unlink()
    fill_store(project(tmp_path), [lock], Inputs.REMOTE)  # as after a bundle: no recipes are needed


def test_a_program_that_is_missing_or_changed_stops_the_build(tmp_path: Path) -> None:
    lock = only_programs(lock_with_checks())
    with pytest.raises(FetchError, match=r"recipes/checks/closure\.py: is not beside the recipes"):
        fill_store(project(tmp_path), [lock], Inputs.REMOTE)
    (tmp_path / "recipes/checks").mkdir(parents=True)
    (tmp_path / "recipes/checks/closure.py").write_bytes(b"print('other')\n")
    with pytest.raises(DigestMismatchError, match=r"recipes/checks/closure\.py: has sha256"):
        fill_store(project(tmp_path), [lock], Inputs.REMOTE)

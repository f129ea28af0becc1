"""Who sees a changed lock, without network: `lock --check`, `verify`, `verify --store`, `verify --again`.

What needs the network or files is played by what is known of the committed lock, which CI
proves to be what resolving gives: resolving again gives the committed lock itself; the
signed index has its OS packages. The attacker is as strong as can be: also the store has
the files of changed rows, and their metadata has the row's name and version and all the
requirements of the row that was there before.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from builder.index import WheelFacts
from builder.lockfile import Examined, Finding, Lock, OsPackage, examine, parse_lock
from builder.model import LicenseStatement, Target
from builder.project import recipe_files
from builder.recipe import (
    EffectiveRecipe,
    Library,
    effective_recipe,
    lock_agreement,
    lockable_targets,
    merge_os,
    read_library,
)
from builder.resolve.debian import Stanza
from builder.selection import ALL, Selection
from builder.verify import (
    ClosureQuestion,
    LockMetadata,
    closure_proof,
    os_index_proof,
    outdated,
    resolved_again_proof,
    signed_indexes,
)
from tests.verify.mutations import Mutation

__all__ = ["LOCKS", "OBSERVERS", "CommittedLock", "committed_lock", "library", "recorded_metadata"]

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (
    "1.4.2/debian-13-assembled/dynamo-x86_64",
    "1.4.2/debian-13-cuda-13.0/vllm-x86_64",
    "1.4.2/debian-12/dynamo-aarch64",
    "1.4.2/debian-12/fabric-x86_64",
)
"""Four kinds: an assembled base, an engine with CUDA, another architecture and Debian, components alone."""

OBSERVERS = ("lock --check", "verify", "verify --store", "verify --again")


@cache
def library() -> Library:
    """Return the committed recipes."""
    return read_library(recipe_files(ROOT / "recipes"))


@cache
def committed_lock(name: str) -> Lock:
    """Return a committed lock by its path without `.toml`."""
    return parse_lock((ROOT / f"lock/{name}.toml").read_bytes(), place=name)


@cache
def recorded_metadata(name: str) -> LockMetadata:
    """Return what the locked files of a committed lock say of themselves, as it was recorded.

    For the first lock it was read from the files. For the others relations of packages are those of the
    signed indexes, and requirements of wheels those that the index gave, 31 large wheels without a hash.
    """
    place = Path(__file__).with_name("metadata") / f"{name.replace('/', '-')}.json"
    data = json.loads(place.read_text("utf-8"))
    wheels = {
        sha256: WheelFacts(**{**row, "requires": tuple(row["requires"])}, size=0, license=LicenseStatement())
        for sha256, row in data["wheels"].items()
    }
    packages = {sha256: Stanza(**row) for sha256, row in data["packages"].items()}
    return LockMetadata(wheels=wheels, packages=packages)


@cache
def _signed_files() -> Mapping[str, bytes]:
    contents = [path.read_bytes() for path in (ROOT / "recipes/indexes").glob("*/InRelease")]
    return {hashlib.sha256(data).hexdigest(): data for data in contents}


@cache
def _listed_targets() -> frozenset[Target]:
    return frozenset(lockable_targets(library(), Selection(releases=(ALL,))))


@cache
def _recipe_of(name: str) -> EffectiveRecipe:
    return effective_recipe(library(), committed_lock(name).target)


@lru_cache(maxsize=1)
def _examined(data: bytes, name: str) -> Examined:
    """Several observers begin with it; it costs most of a change."""
    return examine(data, name="changed.toml", place=f"{name}.toml")


@dataclass(frozen=True, slots=True)
class CommittedLock:
    """A committed lock, and what each observer says of changed ones."""

    name: str

    def seen_by(self, mutation: Mutation) -> frozenset[str]:
        """Return the observers that do not accept a changed lock."""
        return frozenset(observer for observer in OBSERVERS if self.is_seen(mutation, observer))

    def is_seen(self, mutation: Mutation, observer: str) -> bool:
        """Whether one observer ends with another exit code than 0."""
        if observer == "lock --check":
            return self._is_refused_by_check(mutation)
        examined = _examined(mutation.data, self.name)
        if observer == "verify" or examined.lock is None:
            if any(one.rule.exit for one in examined.findings) or examined.lock is None:
                return True
            against = (
                *outdated(examined.lock, library(), _listed_targets()),
                *signed_indexes(examined.lock, _signed_files()),
            )
            return any(one.rule.exit for one in against)
        seen_by = {"verify --store": self._store_findings, "verify --again": self._again_findings}
        return any(one.rule.exit for one in seen_by[observer](examined.lock))

    def _is_refused_by_check(self, mutation: Mutation) -> bool:
        return bool(lock_agreement(_recipe_of(self.name), mutation.data, place=self.name).reason)

    def _question(self, lock: Lock) -> ClosureQuestion:
        return ClosureQuestion(name=self.name, lock=lock, recipe=_recipe_of(self.name))

    def _store_findings(self, lock: Lock) -> Iterator[Finding]:
        """Yield what the closure finds, and the comparison with the signed index."""
        question = self._question(lock)
        known = self._metadata_with_files_of(lock)
        yield from closure_proof([question], name="closure", read=lambda _: known, done=_ignore).findings
        original = committed_lock(self.name)

        def resolved(_: EffectiveRecipe) -> tuple[tuple[object, ...], tuple[OsPackage, ...]]:
            return original.repositories, merge_os(original.os_packages)

        yield from os_index_proof(
            [question],
            resolve=resolved,  # type: ignore[arg-type]
            absent_is_unknown=True,
            done=_ignore,
        ).findings

    def _metadata_with_files_of(self, lock: Lock) -> LockMetadata:
        """Return the recorded metadata, and that of the attacker's files."""
        known, original = recorded_metadata(self.name), committed_lock(self.name)
        before = {row.name: str(row.sha256) for row in original.python if row.sha256}
        wheels = dict(known.wheels)
        for row in lock.python:
            if row.sha256 and str(row.sha256) not in wheels:
                facts = wheels.get(before.get(row.name, ""))
                requires, extras = (facts.requires, facts.extras) if facts else ((), ())
                wheels[str(row.sha256)] = WheelFacts(
                    name=row.name,
                    version=row.version,
                    requires=requires,
                    extras=extras,
                    size=0,
                    license=LicenseStatement(),
                )
        old_packages = {row.name: row.sha256 for row in original.os_packages}
        packages = dict(known.packages or {})
        for package in lock.os_packages:
            if package.sha256 not in packages:
                stanza = packages.get(
                    old_packages.get(package.name, ""), Stanza(name="", version="", arch="")
                )
                packages[package.sha256] = dataclasses.replace(
                    stanza, name=package.name, version=package.version, arch=package.arch
                )
        return LockMetadata(wheels=wheels, packages=packages)

    def _again_findings(self, lock: Lock) -> Iterator[Finding]:
        original = committed_lock(self.name)
        yield from resolved_again_proof(
            [(self.name, lock)], resolve=lambda _: original, done=_ignore
        ).findings


def _ignore(_: str) -> None:
    """Take a step and say nothing."""

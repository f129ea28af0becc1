"""What `lock` said of targets without a lock, as it was recorded when they were tried. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from builder.errors import LockError
from builder.lockfile import summary_digest
from builder.model import Arch, StructureError, Target, structure, toml, unstructure
from builder.recipe.effective import EffectiveRecipe
from builder.recipe.freshness import fingerprint

__all__ = ["LockOutcome", "LockOutcomes", "dump_outcomes", "inputs_digest", "load_outcomes"]

_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOutcome:
    """One target, tried."""

    release: str
    platform: str
    framework: str
    arch: Arch
    inputs: str
    """The beginning of the digest of the effective recipe that was tried."""
    exit: int
    """The exit code of `lock`; 0 for a target that resolves."""
    said: str = ""
    """The first lines of what it said, joined."""

    @property
    def target(self) -> Target:
        """What was tried."""
        return Target(release=self.release, platform=self.platform, framework=self.framework, arch=self.arch)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOutcomes:
    """All of them, as they stand in lock/outcomes.toml or lock/stand-in.toml."""

    published: str = ""
    """For a stand-in, the beginning of the digest of the list of what it served."""
    tried: tuple[LockOutcome, ...] = field(default=())

    def by_target(self) -> Mapping[Target, LockOutcome]:
        """Return each by what was tried."""
        return {outcome.target: outcome for outcome in self.tried}


def inputs_digest(recipe: EffectiveRecipe) -> str:
    """Return what tells one effective recipe from another."""
    return summary_digest(fingerprint(recipe)).removeprefix("sha256:")[:_DIGITS]


def load_outcomes(data: bytes, *, place: str) -> LockOutcomes:
    """Read the file (LockError)."""
    try:
        return structure(toml.loads(data, place=place, error=LockError), LockOutcomes)
    except StructureError as error:
        raise LockError(error.cause, place=f"{place}: {error.path}", hint=error.hint) from None


def dump_outcomes(outcomes: Iterable[LockOutcome], published: str = "") -> bytes:
    """Return the file's bytes, rows sorted; `published` tells what a stand-in served."""
    rows = tuple(sorted(outcomes, key=lambda outcome: outcome.target))
    return toml.dumps(unstructure(LockOutcomes(published=published, tried=rows))).encode()

"""Whether the refusals that people typed into releases are needed, and still hold. Pure.

A typed refusal is for what no program can know: upstream's policy, or a source that nobody
names. Recipes and recorded trials say what the tool finds by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from builder.errors import BuilderError, FetchError
from builder.matrix.release_versions import newest_first
from builder.model import Arch, Target
from builder.recipe import (
    Library,
    LockOutcome,
    TargetRefusal,
    effective_recipe,
    inputs_digest,
    missing_pins,
    target_refusal,
)

__all__ = ["RefusalStanding", "TypedRefusal", "judge_refusals", "without_typed_refusals"]

_MOST_SHOWN = 3


class RefusalStanding(StrEnum):
    """What the tool itself says of the targets of one typed refusal."""

    UNREACHED = "waits for a place"
    """It is marked `unreached`: `lock` tries, so that it refuses nothing."""
    WOULD_LOCK = "would lock without it"
    """`lock` ran to its end for one of its targets: somebody must say whether the reason still holds."""
    SAID_BY_LOCK = "lock refuses too"
    """`lock` refuses every one of its targets without it; whether for the same cause, the two texts say."""
    SAID_BY_RECIPES = "recipes do not fit"
    """Without it the recipes of every target end in an error; it may say why a version is missing."""
    NEEDED = "needed"
    """For one of its targets nothing else speaks against a lock but missing pins or an unreached index."""
    UNTRIED = "not tried"
    """One of its targets has no record for the present recipes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRefusal:
    """One row `[[refused]]` of a release, what the tool says without it, and the targets that say so."""

    release: str
    row: TargetRefusal
    standing: RefusalStanding
    targets: tuple[Target, ...]
    """Those that decide the standing; empty for one that refuses no target by itself."""
    said: str = ""
    """What `lock` said of the first of them."""
    refused: tuple[Target, ...] = ()
    """All targets for which this row is the first that refuses."""

    @property
    def finding(self) -> str:
        """What is wrong with the row, in words; empty unless one of its targets would lock without it."""
        if self.standing is not RefusalStanding.WOULD_LOCK:
            return ""
        shown = ", ".join(map(str, self.targets[:_MOST_SHOWN]))
        more = f" and {len(self.targets) - _MOST_SHOWN} more" if len(self.targets) > _MOST_SHOWN else ""
        return (
            f"recipes/releases/{self.release}.toml: refused: {self.row.reason!r} is typed, "
            f"and without it `lock` ran to its end for {shown}{more}"
        )


def without_typed_refusals(library: Library) -> Library:
    """Return the library as if no release refused anything."""
    bare = {version: replace(release, refused=()) for version, release in library.releases.items()}
    return replace(library, releases=bare)


def judge_refusals(
    library: Library, locked: Collection[Target], outcomes: Mapping[Target, LockOutcome]
) -> tuple[TypedRefusal, ...]:
    """Return every typed refusal, newest release first, with what recipes and trials say of it."""
    bare = without_typed_refusals(library)
    have = frozenset(locked)
    return tuple(
        _judged_refusal(bare, release.version, row, targets, outcomes)
        for release in newest_first(library)
        for row in release.refused
        for targets in [_refused_targets(library, release.version, row, have)]
    )


def _refused_targets(
    library: Library, release: str, row: TargetRefusal, locked: frozenset[Target]
) -> list[Target]:
    """Return the targets for which this row is the first that refuses."""
    every = (
        Target(release=release, platform=platform, framework=row.framework, arch=arch)
        for platform in sorted(library.platforms)
        for arch in Arch
    )
    recipe = library.release(release)
    return [target for target in every if target not in locked and target_refusal(recipe, target) is row]


def _judged_refusal(
    bare: Library,
    release: str,
    row: TargetRefusal,
    targets: list[Target],
    outcomes: Mapping[Target, LockOutcome],
) -> TypedRefusal:
    if row.unreached:
        return TypedRefusal(
            release=release,
            row=row,
            standing=RefusalStanding.UNREACHED,
            targets=tuple(targets),
            refused=tuple(targets),
        )
    found: dict[RefusalStanding, list[tuple[Target, str]]] = {}
    for target in targets:
        standing, said = _target_standing(bare, target, outcomes)
        found.setdefault(standing, []).append((target, said))
    # The strongest statement decides; lock or recipes count only if they refuse all targets of a row.
    order = (
        RefusalStanding.WOULD_LOCK,
        RefusalStanding.NEEDED,
        RefusalStanding.UNTRIED,
        RefusalStanding.SAID_BY_LOCK,
        RefusalStanding.SAID_BY_RECIPES,
    )
    standing = next((one for one in order if one in found), RefusalStanding.NEEDED)
    deciding = found.get(standing, [])
    return TypedRefusal(
        release=release,
        row=row,
        standing=standing,
        targets=tuple(target for target, _ in deciding),
        said=next((said for _, said in deciding), ""),
        refused=tuple(targets),
    )


def _target_standing(
    bare: Library, target: Target, outcomes: Mapping[Target, LockOutcome]
) -> tuple[RefusalStanding, str]:
    """Return what lock or recipes say of one target without its typed refusal."""
    try:
        recipe = effective_recipe(bare, target)
    except BuilderError as error:
        return RefusalStanding.SAID_BY_RECIPES, error.cause
    outcome = outcomes.get(target)
    if outcome is None or outcome.inputs != inputs_digest(recipe):
        return RefusalStanding.UNTRIED, ""
    if outcome.exit == 0:
        return (RefusalStanding.NEEDED if missing_pins(recipe) else RefusalStanding.WOULD_LOCK), ""
    if outcome.exit == FetchError.exit_code:
        return RefusalStanding.NEEDED, outcome.said
    return RefusalStanding.SAID_BY_LOCK, outcome.said

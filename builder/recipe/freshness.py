"""Whether a lock still fits its recipe; loads nothing that resolving needs: it is asked often. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from builder.errors import LockError
from builder.lockfile import Lock, load_lock, summary_digest
from builder.recipe.effective_recipe import Effective
from builder.recipe.fingerprints import changed_keys, fingerprint

__all__ = ["Staleness", "staleness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Staleness:
    """Whether a lock still fits its recipe: `reason` is empty for one that does."""

    reason: str = ""
    keys: tuple[str, ...] = ()
    """Key paths of the effective recipe that changed."""
    lock: Lock | None = None
    """The lock as it was found, where it could be read."""


def staleness(recipe: Effective, data: bytes | None, *, place: str) -> Staleness:
    """Compare a lock's bytes with its recipe; needs no network."""
    if data is None:
        return Staleness(reason="there is no lock yet")
    try:
        lock = load_lock(data, place=place)
    except LockError as error:
        return Staleness(reason=str(error))
    inputs = fingerprint(recipe)
    if lock.target != recipe.target:
        return Staleness(reason=f"it is the lock of {lock.target}", lock=lock)
    if lock.recipe_digest != summary_digest(inputs):
        return Staleness(reason="the recipe changed", keys=changed_keys(lock.inputs, inputs), lock=lock)
    return Staleness(lock=lock)

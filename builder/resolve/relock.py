"""One target from recipe to lock: what is up to date stays, the rest is resolved."""

from __future__ import annotations

from dataclasses import dataclass

from builder.errors import LockError
from builder.model.integrity import summary_digest
from builder.model.lock import Lock
from builder.model.lockfile import load_lock
from builder.model.target import Target
from builder.resolve.assemble import assemble, missing_pins
from builder.resolve.effective import Effective, effective
from builder.resolve.environments import python_requests
from builder.resolve.fingerprint import changed_keys, fingerprint
from builder.resolve.library import Library
from builder.resolve.osindex import resolve_os
from builder.resolve.python.resolve import resolve_python
from builder.resolve.python.services import Services
from builder.resolve.python.uv import resolver_name
from builder.resolve.session import Session

__all__ = ["Staleness", "make_lock", "staleness"]


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


def make_lock(
    target: Target,
    *,
    library: Library,
    session: Session,
    services: Services,
    before: Lock | None,
    upgrade: tuple[str, ...],
) -> Lock:
    """Resolve `target` anew, keeping the pins of `before` that still fit and are not to be upgraded."""
    recipe = effective(library, target)
    if missing_pins(recipe):
        # Refused with the list of what is missing, before any index is asked.
        return assemble(recipe, python=(), os_packages=(), repositories=(), resolver="")
    requests = python_requests(recipe, preferences=_preferences(before), upgrade=upgrade)
    python = [row for request in requests for row in resolve_python(request, services)]
    repositories, packages = resolve_os(recipe, library=library, session=session)
    return assemble(
        recipe,
        python=python,
        os_packages=packages,
        repositories=repositories,
        resolver=resolver_name(),
    )


def _preferences(before: Lock | None) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for row in before.python if before else ():
        for name in row.for_:
            found.setdefault(name, []).append((row.name, row.version))
    return {name: tuple(sorted(pins)) for name, pins in found.items()}

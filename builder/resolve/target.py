"""One target from recipe to lock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from builder.errors import BuilderError
from builder.fetch import Session
from builder.index import IndexServices
from builder.lockfile import Lock
from builder.model import Target
from builder.recipe import (
    EffectiveRecipe,
    Library,
    assemble_lock,
    check_refused,
    effective_recipe,
    missing_pins,
    python_requests,
)
from builder.resolve.os_packages import resolve_os
from builder.resolve.python import resolve_python, resolver_name

__all__ = ["make_lock"]


def make_lock(
    target: Target,
    *,
    library: Library,
    session: Session,
    services: IndexServices,
    before: Lock | None,
    upgrade: tuple[str, ...],
) -> Lock:
    """Resolve `target` again, keeping the pins of `before` that still fit and are not to be upgraded."""
    # First of all: what a release refuses may lack versions and pins as well.
    check_refused(library, target)
    try:
        return _make(
            effective_recipe(library, target),
            library=library,
            session=session,
            services=services,
            before=before,
            upgrade=upgrade,
        )
    except BuilderError as error:
        raise error.within(str(target)) from None


def _make(
    recipe: EffectiveRecipe,
    *,
    library: Library,
    session: Session,
    services: IndexServices,
    before: Lock | None,
    upgrade: tuple[str, ...],
) -> Lock:
    if missing_pins(recipe):
        # Refused with the list of what is missing, before any index is asked.
        return assemble_lock(recipe, python=(), os_packages=(), repositories=(), resolver="")
    requests = python_requests(recipe, preferences=_preferences(before), upgrade=upgrade)
    with ThreadPoolExecutor(len(requests) + 1) as pool:
        # uv waits for the network while the OS packages are computed.
        packages = pool.submit(resolve_os, recipe, library=library, session=session)
        python = [row for rows in pool.map(lambda r: resolve_python(r, services), requests) for row in rows]
        repositories, os_packages = packages.result()
    return assemble_lock(
        recipe,
        python=python,
        os_packages=os_packages,
        repositories=repositories,
        resolver=resolver_name(),
    )


def _preferences(before: Lock | None) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for row in before.python if before else ():
        for name in row.for_:
            found.setdefault(name, []).append((row.name, row.version))
    return {name: tuple(sorted(pins)) for name, pins in found.items()}

"""One target from recipe to lock, or to what `lock` says of it: then nothing is written.

Rows that no CUDA fits are refused before anything else is resolved (traps T2, T3, T15).
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Self, cast

from packaging.utils import canonicalize_name

from builder.errors import BuilderError, DigestMismatchError, FetchError, NoSolutionError
from builder.fetch import Session
from builder.index import IndexServices
from builder.lockfile import (
    INSTALLER,
    RUNTIME,
    CudaStack,
    Lock,
    OsPackage,
    PythonPackage,
    check_lock,
    cuda_stack_faults,
    environment_packages,
    lock_faults,
    os_python,
    row_label,
)
from builder.model import Arch, Target
from builder.project import Project
from builder.recipe import (
    EffectiveRecipe,
    Library,
    LockOutcome,
    assemble_lock,
    check_refused,
    effective_recipe,
    inputs_digest,
    missing_pins,
    python_requests,
)
from builder.resolve.os_packages import resolve_os
from builder.resolve.python import resolve_python, resolver_name

__all__ = ["Trial", "check_cuda_stack", "check_solvable", "make_lock", "recipe_cuda_stack"]


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
        return _make_lock(
            effective_recipe(library, target),
            library=library,
            session=session,
            services=services,
            before=before,
            upgrade=upgrade,
        )
    except BuilderError as error:
        raise error.within(str(target)) from None


def _make_lock(
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
    # OS packages first: they say the full version of Python, which decides markers and Requires-Python.
    repositories, os_packages = resolve_os(recipe, library=library, session=session)
    requests = python_requests(
        recipe,
        preferences=_preferred_versions(before),
        upgrade=upgrade,
        full_pythons=_full_pythons(recipe, os_packages),
    )
    with ThreadPoolExecutor(len(requests)) as pool:
        python = [row for rows in pool.map(lambda r: resolve_python(r, services), requests) for row in rows]
        check_cuda_stack(
            recipe_cuda_stack(recipe, python), where_cuda_builds_are=recipe.framework.accelerated_hint
        )
    lock = assemble_lock(
        recipe,
        python=python,
        os_packages=os_packages,
        repositories=repositories,
        resolver=resolver_name(),
        before=before.catalogue if before else None,
    )
    check_solvable(lock)
    _check_same_bytes(before, lock, upgrade)
    return lock


def _check_same_bytes(before: Lock | None, lock: Lock, upgrade: tuple[str, ...]) -> None:
    """Refuse other bytes for a wheel that is locked already (trap T12): somebody replaced it."""
    if before is None or "*" in upgrade:
        return
    known = {(row.origin, row.file): row.sha256 for row in before.python if row.file}
    for row in lock.python:
        locked = known.get((row.origin, row.file), row.sha256)
        if locked != row.sha256 and row.name not in upgrade:
            raise DigestMismatchError(
                f"{row.file} of {row.origin} has sha256 {row.sha256} now, locked is {locked}",
                place=row_label(row),
                hint="ask another mirror, or the index itself; to take the new bytes, pass "
                f"--upgrade {row.name}",
            )


def _full_pythons(recipe: EffectiveRecipe, rows: tuple[OsPackage, ...]) -> dict[str, str]:
    """Return the full version of the OS's Python in each environment whose packages say it."""
    minor = recipe.platform.python
    images = recipe.platform.images.get(recipe.target.arch, ())
    found = {}
    for environment in (RUNTIME, INSTALLER, *(part.name for part in recipe.parts)):
        packages = environment_packages(environment, images=images, rows=rows)
        version, _ = os_python(packages, minor)
        if version.startswith(f"{minor}."):
            found[environment] = version
    return found


def _preferred_versions(before: Lock | None) -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for row in before.python if before else ():
        for name in row.for_:
            found.setdefault(name, []).append((row.name, row.version))
    return {name: tuple(sorted(pins)) for name, pins in found.items()}


_MOST_LINES = 4


class Trial:
    """Resolves targets over one view of each index; a context manager."""

    def __init__(self, project: Project, library: Library) -> None:
        self._project = project
        self._library = library
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        client = self._stack.enter_context(self._project.client())
        self._session = self._project.session(client)
        self._services = self._project.services(client)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def outcome(self, target: Target) -> LockOutcome:
        """Resolve `target` from nothing; FetchError where the default index or an archive gave no answer."""
        recipe = effective_recipe(self._library, target)
        code, said = 0, ""
        try:
            if missing_pins(recipe):
                self._resolve_python(recipe)
            else:
                self._try_lock(target)
        except FetchError as error:
            extra = next((index for index in recipe.framework.indexes if index.url in str(error)), None)
            if extra is None:
                raise
            # The default index answers; this one is part of the answer: the target waits for it alone.
            code, said = error.exit_code, f"the index {extra.name} could not be reached: {extra.url}"
        except BuilderError as error:
            code, said = error.exit_code, _first_lines(error.cause)
        return LockOutcome(
            release=target.release,
            platform=target.platform,
            framework=target.framework,
            arch=target.arch,
            inputs=inputs_digest(recipe),
            exit=code,
            said=said,
        )

    def _try_lock(self, target: Target) -> None:
        lock = make_lock(
            target,
            library=self._library,
            session=self._session,
            services=self._services,
            before=None,
            upgrade=(),
        )
        # `lock` writes no lock that breaks a rule; a trial that left this out would call it lockable.
        check_lock(lock, place=f"lock/{target.path}", every_rule=True)

    def _resolve_python(self, recipe: EffectiveRecipe) -> None:
        """Resolve what needs no pins, so that wheels that rule a target out refuse it already."""
        rows: list[PythonPackage] = []
        for request in python_requests(recipe, preferences={}, upgrade=()):
            resolved = self._session.once.get(
                ("trial", repr(request)), partial(resolve_python, request, self._services)
            )
            rows += cast("tuple[PythonPackage, ...]", resolved)
        check_cuda_stack(
            recipe_cuda_stack(recipe, rows), where_cuda_builds_are=recipe.framework.accelerated_hint
        )


def _first_lines(cause: str) -> str:
    """Return the first findings of a message as one line; its headline alone says only that it failed."""
    headline, *findings = (" ".join(line.split()) for line in cause.splitlines() if line.strip())
    return "; ".join(findings[:_MOST_LINES]) or headline


def recipe_cuda_stack(recipe: EffectiveRecipe, rows: Iterable[PythonPackage]) -> CudaStack:
    """Return what the rules of CUDA judge of a target that is not a lock yet."""
    return CudaStack(
        rows=tuple(rows),
        arch=Arch(recipe.target.arch),
        toolkit=recipe.platform.cuda,
        release=recipe.target.release,
        framework=recipe.target.framework,
        accelerated=frozenset(str(canonicalize_name(name)) for name in recipe.framework.accelerated),
    )


def check_cuda_stack(stack: CudaStack, *, where_cuda_builds_are: str = "") -> None:
    """Refuse rows that break a rule of CUDA (NoSolutionError, both sides and who asked named).

    `where_cuda_builds_are` is the recipe's hint for a build without CUDA.
    """
    for rule, fault in cuda_stack_faults(stack):
        hint = where_cuda_builds_are if rule.id == "cuda-builds" else ""
        raise NoSolutionError(fault.text, hint=hint or fault.hint)


def check_solvable(lock: Lock) -> None:
    """Refuse a lock that contradicts itself, which another run would only make again (NoSolutionError)."""
    for rule, fault in lock_faults(lock):
        if rule.unsolvable:
            raise NoSolutionError(fault.text, hint=fault.hint)

"""Agreement: whether a lock still is what its recipe makes. Pure.

A lock can disagree with its recipe in two ways. It is *stale* if the recipe changed since: its
fingerprint says which keys. It *differs* if the fingerprint fits and the lock does not: somebody
edited it by hand, or the recipe changed in a value that only the resolvers read.

The comparison makes everything again that needs no index to be known. `assemble_lock` gets the
lock's own resolved rows (`python`, `os-packages`, `repositories`) and the recipe; every field of the
lock that it makes must be the lock's own. What the resolved rows say of the recipe is compared
afterwards: roots and constraints, names of OS packages, pins of repositories, places of files.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from packaging.utils import canonicalize_name

from builder.errors import BuilderError, LockError
from builder.lockfile import (
    BASE,
    RECIPE,
    Finding,
    Lock,
    LockRow,
    found,
    load_lock,
    lock_findings,
    row_label,
    summary_digest,
)
from builder.model import Arch, Sha256, key_name, normalized_name, recipe_requirement
from builder.recipe.assembly import assemble_lock
from builder.recipe.effective import EffectiveRecipe
from builder.recipe.environment_requests import PYPI, PythonRequest, os_requests, python_requests
from builder.recipe.freshness import changed_keys, fingerprint
from builder.recipe.platform import RepositoryRecipe

__all__ = ["LockAgreement", "lock_agreement", "recipe_faults"]

_INDEX_FOLDER = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}")
_MOST_KEYS = 8
_NAMED_BY = ("component", "name", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockAgreement:
    """Whether a lock still is what its recipe makes: `reason` is empty for one that is."""

    reason: str = ""
    keys: tuple[str, ...] = ()
    """Key paths of the effective recipe that changed since."""
    differences: tuple[Finding, ...] = ()
    """Where the lock differs from a recipe that did not change, or breaks a rule of locks."""
    lock: Lock | None = None
    """The lock as it was found, if it could be read."""


def lock_agreement(recipe: EffectiveRecipe, data: bytes | None, *, place: str) -> LockAgreement:
    """Compare a lock's bytes with its recipe; needs no network.

    A lock that is fine breaks no rule of locks either: what `verify` reports is never called unchanged.
    """
    if data is None:
        return LockAgreement(reason="there is no lock yet")
    try:
        lock = load_lock(data, place=place)
    except LockError as error:
        return LockAgreement(reason=str(error))
    if lock.target != recipe.target:
        return LockAgreement(reason=f"it is the lock of {lock.target}", lock=lock)
    keys = _changed_inputs(recipe, lock)
    if keys:
        return LockAgreement(reason="the recipe changed", keys=keys, lock=lock)
    faults = tuple(lock_findings(lock, loaded=True))
    if faults:
        return LockAgreement(reason="it breaks a rule of locks", differences=faults, lock=lock)
    differences = tuple(_recipe_differences(recipe, lock))
    reason = "it differs from its recipe" if differences else ""
    return LockAgreement(reason=reason, differences=differences, lock=lock)


def recipe_faults(recipe: EffectiveRecipe, lock: Lock) -> Iterator[Finding]:
    """Yield where `lock` is not what `recipe` makes: the keys that changed since, else each difference."""
    keys = _changed_inputs(recipe, lock)
    if not keys:
        yield from _recipe_differences(recipe, lock)
        return
    more = f" and {len(keys) - _MOST_KEYS} more" if len(keys) > _MOST_KEYS else ""
    text = f"the recipe changed: {', '.join(keys[:_MOST_KEYS])}{more}"
    yield found("stale", text, hint="run `python -m builder lock`, and review what changes")


def _changed_inputs(recipe: EffectiveRecipe, lock: Lock) -> tuple[str, ...]:
    """Return the keys of `recipe` that are not as in `lock`; `recipe-digest` if only that is wrong."""
    inputs = fingerprint(recipe)
    keys = changed_keys(lock.inputs, inputs)
    return keys if keys or lock.recipe_digest == summary_digest(inputs) else ("recipe-digest",)


def _recipe_differences(recipe: EffectiveRecipe, lock: Lock) -> Iterator[Finding]:
    """Yield where `lock`, which is not stale, differs from `recipe`."""
    try:
        wanted = assemble_lock(
            recipe,
            python=lock.python,
            os_packages=lock.os_packages,
            repositories=lock.repositories,
            resolver=lock.resolver,
            before=lock.catalogue,
        )
    except BuilderError as error:
        yield found("recipe-mismatch", f"the recipe cannot make a lock: {error}")
        return
    for field in dataclasses.fields(Lock):
        name = key_name(field.name)
        yield from _field_differences(name, getattr(wanted, field.name), getattr(lock, field.name))
    yield from _repository_differences(recipe.platform.repositories, lock)
    requests = python_requests(recipe, preferences={}, upgrade=())
    for request in requests:
        yield from _unmet_roots(request, lock)
    yield from _unsettled_rows(recipe, lock, requests)
    asked = os_requests(recipe) if recipe.platform.repositories else {}
    for environment, names in asked.items():
        yield from _os_request_differences(environment, {*names}, lock)


def _field_differences(name: str, wanted: object, found_here: object) -> Iterator[Finding]:
    """Compare one field of the lock: a list of rows row by row, a table key by key."""
    if wanted == found_here:
        return
    if isinstance(wanted, tuple) and isinstance(found_here, tuple) and name != "inputs":
        yield from _row_differences(name, _rows_by_name(wanted), _rows_by_name(found_here))
    elif dataclasses.is_dataclass(wanted):
        yield found("recipe-mismatch", f"{_differing_fields(wanted, found_here)} from the recipe", row=name)
    else:
        yield found("recipe-mismatch", f"{name} differs from the recipe")


def _row_differences(name: str, wanted: dict[str, LockRow], here: dict[str, LockRow]) -> Iterator[Finding]:
    """Compare the rows of one section; a row whose name alone was edited is one difference, not two."""
    absent, unknown = wanted.keys() - here.keys(), here.keys() - wanted.keys()
    renamed: dict[str, str] = {}
    for key in sorted(unknown):
        alike = [k for k in sorted(absent) if len(_differing_names(wanted[k], here[key])) == 1]
        if alike:
            renamed[key] = alike[0]
            absent = absent - {alike[0]}
    for key in sorted({*absent, *here}):
        if key in absent:
            text = "the lock lacks this row of the recipe"
            yield found("recipe-mismatch", text, row=row_label(wanted[key]))
        elif key in unknown - renamed.keys():
            yield found("recipe-mismatch", "the recipe does not name it", row=row_label(here[key]))
        elif wanted[renamed.get(key, key)] != here[key]:
            text = f"{_differing_fields(wanted[renamed.get(key, key)], here[key])} from the recipe"
            yield found("recipe-mismatch", text, row=row_label(here[key]))
    if list(wanted) != list(here) and wanted.keys() == here.keys():
        yield found("recipe-mismatch", "their order differs from the recipe's", row=name)


def _rows_by_name(rows: tuple[LockRow, ...]) -> dict[str, LockRow]:
    named = {}
    for row in rows:
        key = next((str(getattr(row, name)) for name in _NAMED_BY if hasattr(row, name)), repr(row))
        named[f"{key} {row.file}" if hasattr(row, "file") and hasattr(row, "component") else key] = row
    return named


def _differing_names(wanted: object, here: object) -> list[str]:
    fields = [f.name for f in dataclasses.fields(wanted)]  # type: ignore[arg-type]
    return [key_name(name) for name in fields if getattr(wanted, name) != getattr(here, name)]


def _differing_fields(wanted: object, here: object) -> str:
    names = _differing_names(wanted, here)
    return f"{', '.join(names)} {'differs' if len(names) == 1 else 'differ'}"


def _repository_differences(wanted: tuple[RepositoryRecipe, ...], lock: Lock) -> Iterator[Finding]:
    said = [
        (
            row.origin,
            row.suite,
            row.components,
            _snapshot_stamp(row.at),
            row.inrelease,
            *_repomd_pins(row, lock.arch),
        )
        for row in wanted
    ]
    here = [
        (row.origin, row.suite, row.components, row.snapshot, row.inrelease, row.repomd, row.signature)
        for row in lock.repositories
    ]
    if said != here:
        yield found("recipe-mismatch", "they are not the ones that the platform pins", row="repositories")
    for row in lock.repositories:
        if not row.signed_by:
            yield found("recipe-mismatch", "it does not say who signed it", row=row_label(row))


def _repomd_pins(row: RepositoryRecipe, arch: Arch) -> tuple[Sha256 | None, Sha256 | None]:
    """Return the digests of repomd.xml and its signature that are pinned for `arch`."""
    pinned = ((pin.sha256, pin.signature) for pin in row.repomd if pin.arch == arch)
    return next(pinned, (None, None))


def _snapshot_stamp(at: str) -> str:
    return datetime.fromisoformat(at).strftime("%Y%m%dT%H%M%SZ")


def _unmet_roots(request: PythonRequest, lock: Lock) -> Iterator[Finding]:
    """Yield roots and constraints of one environment that neither its rows nor the image meet."""
    held = {canonicalize_name(one.name): one.version for one in request.stand_ins if not one.build}
    rows = {row.name: row for row in lock.python if request.environment in row.for_}
    roots = {canonicalize_name(root.name): root for root in map(recipe_requirement, request.roots)}
    for name, root in sorted(roots.items()):
        row = rows.get(name)
        if row is None and name in held and root.specifier.contains(held[name], prereleases=True):
            continue  # the image brings it: no row installs it
        if row is None:
            yield found(
                "recipe-mismatch", f"{request.environment} asks for {root}, which has no row", row="python"
            )
        elif not root.specifier.contains(row.version, prereleases=True):
            yield found("recipe-mismatch", f"{request.environment} asks for {root}", row=row_label(row))
        elif not root.extras <= set(row.extras) or RECIPE not in row.via:
            yield found(
                "recipe-mismatch",
                f"its extras or via omit that the recipe asks for {root}",
                row=row_label(row),
            )
    for constraint in map(recipe_requirement, request.constraints):
        row = rows.get(canonicalize_name(constraint.name))
        if row is not None and not constraint.specifier.contains(row.version, prereleases=True):
            yield found("recipe-mismatch", f"the recipe binds {constraint}", row=row_label(row))


def _os_request_differences(environment: str, names: set[str], lock: Lock) -> Iterator[Finding]:
    """Compare the OS packages that one environment asks for with its rows; another may provide a name."""
    there = {row.name: row for row in lock.os_packages if {environment, BASE} & {*row.for_}}
    inventory = {line.partition("=")[0] for image in lock.images for line in image.inventory}
    absent = sorted(names - there.keys() - inventory)
    others = [row for row in there.values() if RECIPE in row.via and row.name not in names]
    providers = [row for row in others if environment in row.for_ and len(row.for_) == 1]
    if absent and not others:
        text = f"{environment} requires {', '.join(absent)}, and no row can satisfy it"
        yield found("recipe-mismatch", text, row="os-packages")
    if not absent:
        for row in providers:
            text = f"via says that the recipe asks for it in {environment}, but the recipe does not"
            yield found("recipe-mismatch", text, row=row_label(row))
    for name in sorted(names & there.keys()):
        if environment in there[name].for_ and RECIPE not in there[name].via:
            text = f"via does not say that the recipe asks for it in {environment}"
            yield found("recipe-mismatch", text, row=row_label(there[name]))


def _unsettled_rows(
    recipe: EffectiveRecipe, lock: Lock, requests: tuple[PythonRequest, ...]
) -> Iterator[Finding]:
    """Yield rows of builds, of declared wheels, or of places that the recipe does not know."""
    versions = {(part.name, wheel.name): wheel.version for part in recipe.parts for wheel in part.wheels}
    declared = {wheel.file: wheel for wheel in recipe.framework.declared}
    origins = {PYPI, *(index.name for index in recipe.framework.indexes)}
    asked = {
        request.environment: {normalized_name(recipe_requirement(root)) for root in request.roots}
        for request in requests
    }
    for row in lock.python:
        if row.build and versions.get((row.build, row.name), row.version) != row.version:
            yield found(
                "recipe-mismatch", f"its build makes {versions[row.build, row.name]}", row=row_label(row)
            )
        wheel = declared.get(row.file)
        if wheel is not None:
            if (row.sha256, row.origin, row.path, row.by) != (
                wheel.sha256,
                wheel.origin,
                wheel.path,
                wheel.by,
            ):
                yield found("recipe-mismatch", "it differs from the recipe's declaration", row=row_label(row))
        elif row.origin and row.origin not in origins:
            yield found("recipe-mismatch", f"the recipe names no index {row.origin}", row=row_label(row))
        elif row.origin == PYPI and not (row.size and _INDEX_FOLDER.fullmatch(row.path)):
            yield found(
                "recipe-mismatch",
                "the default index has a size and a folder xx/yy/… of each file",
                row=row_label(row),
            )
        if RECIPE in row.via and not any(row.name in asked.get(use, ()) for use in row.for_):
            yield found(
                "recipe-mismatch",
                "via says that the recipe asks for it, but the recipe does not",
                row=row_label(row),
            )

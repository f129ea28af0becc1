"""A lock against the recipes as they are now. Pure.

A lock that is not stale can still be edited by hand: its digest of the recipe
stays. Everything that needs no index to be known is made again here from the
recipe and the lock's own rows, and compared.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from builder.errors import BuilderError, UsageError
from builder.lockfile import (
    BASE,
    RECIPE,
    Finding,
    Lock,
    LockRow,
    Repository,
    found,
    row_label,
    summary_digest,
)
from builder.model import Arch, Sha256, Target, key_name
from builder.recipe import (
    PYPI,
    EffectiveRecipe,
    Library,
    PythonRequest,
    RepositoryRecipe,
    assemble_lock,
    changed_keys,
    effective_recipe,
    fingerprint,
    os_requests,
    python_requests,
)

__all__ = ["outdated", "signed_indexes"]

_MOST_KEYS = 8
_INDEX_FOLDER = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}")
_NAMED_BY = ("component", "name", "file")
_DATE_FIELD = re.compile(rb"^Date: (.+)$", re.MULTILINE)


def outdated(lock: Lock, library: Library, listed: Collection[Target]) -> Iterator[Finding]:
    """Yield where `lock` does not fit the recipes; `listed` is what the releases list (RecipeError)."""
    try:
        recipe = effective_recipe(library, lock.target)
    except UsageError as error:
        yield found("orphan", f"the recipes can no longer make it: {error.cause}")
        return
    if lock.target not in listed:
        yield found("orphan", "no release lists this target", hint="delete the lock, or list its target")
    inputs = fingerprint(recipe)
    if lock.recipe_digest == summary_digest(inputs) and lock.inputs == inputs:
        yield from disagreements(recipe, lock)
        return
    keys = changed_keys(lock.inputs, inputs)
    more = f" and {len(keys) - _MOST_KEYS} more" if len(keys) > _MOST_KEYS else ""
    text = f"the recipe changed: {', '.join(keys[:_MOST_KEYS])}{more}"
    yield found("stale", text, hint="run `python -m builder lock`, and review what changes")


def signed_indexes(lock: Lock, releases: Mapping[str, bytes]) -> Iterator[Finding]:
    """Yield repositories whose date or indexes are not those of the signed file, where that is at hand.

    `releases` maps digests to contents; a signature is checked when a lock is
    made, and a lock names the signed file by its digest.
    """
    for row in lock.repositories:
        data = releases.get(row.inrelease or row.repomd or "")
        if data is not None:
            name = row_label(row)
            yield from (found("forged", text, row=name) for text in _unsigned_parts(row, lock, data))


def _unsigned_parts(row: Repository, lock: Lock, data: bytes) -> Iterator[str]:
    if row.repomd is not None:
        for index in row.indexes:
            if index.encode() not in data:
                yield f"its repomd.xml names no file of sha256 {index}"
        return
    if _signed_date(data) != row.date:
        yield f"its InRelease is not of {row.date}"
    for component, index in zip(row.components, row.indexes, strict=False):
        path = f"{component}/binary-{lock.arch.debian}/Packages"
        listed = rb" %s +\d+ %s(\.(xz|gz|bz2|zst))?$" % (index.encode(), re.escape(path.encode()))
        if not re.search(listed, data, re.MULTILINE):
            yield f"its InRelease names no {path} of sha256 {index}"


def _signed_date(data: bytes) -> str:
    stated = _DATE_FIELD.search(data)
    try:
        return (
            parsedate_to_datetime(stated[1].decode("ascii")).strftime("%Y-%m-%dT%H:%M:%SZ") if stated else ""
        )
    except ValueError:
        return ""


def disagreements(recipe: EffectiveRecipe, lock: Lock) -> Iterator[Finding]:
    """Yield where `lock`, which is not stale, says something else than `recipe`."""
    try:
        wanted = assemble_lock(
            recipe,
            python=lock.python,
            os_packages=lock.os_packages,
            repositories=lock.repositories,
            resolver=lock.resolver,
        )
    except BuilderError as error:
        yield found("forged", f"the recipe cannot make a lock: {error}")
        return
    for field in dataclasses.fields(Lock):
        name = key_name(field.name)
        yield from _field_differences(name, getattr(wanted, field.name), getattr(lock, field.name))
    yield from _repository_differences(recipe.platform.repositories, lock)
    for request in python_requests(recipe, preferences={}, upgrade=()):
        yield from _unmet_roots(request, lock)
    yield from _unsettled_rows(recipe, lock)
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
        yield found("forged", f"{_differing_fields(wanted, found_here)} from the recipe", row=name)
    else:
        yield found("forged", f"{name} differs from the recipe")


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
            yield found("forged", text, row=row_label(wanted[key]))
        elif key in unknown - renamed.keys():
            yield found("forged", "the recipe does not name it", row=row_label(here[key]))
        elif wanted[renamed.get(key, key)] != here[key]:
            text = f"{_differing_fields(wanted[renamed.get(key, key)], here[key])} from the recipe"
            yield found("forged", text, row=row_label(here[key]))
    if list(wanted) != list(here) and wanted.keys() == here.keys():
        yield found("forged", "their order differs from the recipe's", row=name)


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
        yield found("forged", "they are not the ones that the platform pins", row="repositories")
    for row in lock.repositories:
        if not row.signed_by:
            yield found("forged", "it does not say who signed it", row=row_label(row))


def _repomd_pins(row: RepositoryRecipe, arch: Arch) -> tuple[Sha256 | None, Sha256 | None]:
    """Return the digests of repomd.xml and its signature that are pinned for `arch`."""
    pinned = ((pin.sha256, pin.signature) for pin in row.repomd if pin.arch == arch)
    return next(pinned, (None, None))


def _snapshot_stamp(at: str) -> str:
    return datetime.fromisoformat(at).strftime("%Y%m%dT%H%M%SZ")


def _unmet_roots(request: PythonRequest, lock: Lock) -> Iterator[Finding]:
    """Yield roots and constraints of one environment that its rows do not meet."""
    rows = {row.name: row for row in lock.python if request.environment in row.for_}
    roots = {canonicalize_name(root.name): root for root in map(Requirement, request.roots)}
    for name, root in sorted(roots.items()):
        row = rows.get(name)
        if row is None:
            yield found("forged", f"{request.environment} asks for {root}, which has no row", row="python")
        elif not root.specifier.contains(row.version, prereleases=True):
            yield found("forged", f"{request.environment} asks for {root}", row=row_label(row))
        elif not root.extras <= set(row.extras) or RECIPE not in row.via:
            yield found(
                "forged", f"its extras or via omit that the recipe asks for {root}", row=row_label(row)
            )
    for constraint in map(Requirement, request.constraints):
        row = rows.get(canonicalize_name(constraint.name))
        if row is not None and not constraint.specifier.contains(row.version, prereleases=True):
            yield found("forged", f"the recipe binds {constraint}", row=row_label(row))


def _os_request_differences(environment: str, names: set[str], lock: Lock) -> Iterator[Finding]:
    """Compare the OS packages that one environment asks for with its rows; another may provide a name."""
    there = {row.name: row for row in lock.os_packages if {environment, BASE} & {*row.for_}}
    inventory = {line.partition("=")[0] for image in lock.images for line in image.inventory}
    absent = sorted(names - there.keys() - inventory)
    others = [row for row in there.values() if RECIPE in row.via and row.name not in names]
    providers = [row for row in others if environment in row.for_ and len(row.for_) == 1]
    if absent and not others:
        text = f"{environment} requires {', '.join(absent)}, and no row can satisfy it"
        yield found("forged", text, row="os-packages")
    if not absent:
        for row in providers:
            text = f"via says that the recipe asks for it in {environment}, but the recipe does not"
            yield found("forged", text, row=row_label(row))
    for name in sorted(names & there.keys()):
        if environment in there[name].for_ and RECIPE not in there[name].via:
            text = f"via does not say that the recipe asks for it in {environment}"
            yield found("forged", text, row=row_label(there[name]))


def _unsettled_rows(recipe: EffectiveRecipe, lock: Lock) -> Iterator[Finding]:
    """Yield rows of builds, of declared wheels, or of places that the recipe does not know."""
    versions = {(part.name, wheel.name): wheel.version for part in recipe.parts for wheel in part.wheels}
    declared = {wheel.file: wheel for wheel in recipe.framework.declared}
    origins = {PYPI, *(index.name for index in recipe.framework.indexes)}
    asked: dict[str, set[str]] = {}
    for request in python_requests(recipe, preferences={}, upgrade=()):
        asked[request.environment] = {canonicalize_name(Requirement(root).name) for root in request.roots}
    for row in lock.python:
        if row.build and versions.get((row.build, row.name), row.version) != row.version:
            yield found("forged", f"its build makes {versions[row.build, row.name]}", row=row_label(row))
        wheel = declared.get(row.file)
        if wheel is not None:
            if (row.sha256, row.origin, row.path, row.by) != (
                wheel.sha256,
                wheel.origin,
                wheel.path,
                wheel.by,
            ):
                yield found("forged", "it differs from the recipe's declaration", row=row_label(row))
        elif row.origin and row.origin not in origins:
            yield found("forged", f"the recipe names no index {row.origin}", row=row_label(row))
        elif row.origin == PYPI and not (row.size and _INDEX_FOLDER.fullmatch(row.path)):
            yield found(
                "forged", "the default index has a size and a folder xx/yy/… of each file", row=row_label(row)
            )
        if RECIPE in row.via and not any(row.name in asked.get(use, ()) for use in row.for_):
            yield found(
                "forged", "via says that the recipe asks for it, but the recipe does not", row=row_label(row)
            )

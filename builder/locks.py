"""The locks of a project: which there are, which are selected, why others do not exist, and one read."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from builder import matrix
from builder.errors import BuilderError, LockError, NoSolutionError, UsageError
from builder.io import read_bytes
from builder.lockfile import Lock, RecipeComparison, load_lock
from builder.model import Target, release_order
from builder.project import Project
from builder.recipe import Library, LockOutcomes, effective_recipe, load_outcomes, recipe_faults
from builder.selection import Selection, TargetNames, UnlockedTarget, choose, reasons_text

__all__ = [
    "compare_with_recipes",
    "lock_files",
    "lock_path",
    "lock_place",
    "locked_targets",
    "matrix_cells",
    "outcomes_path",
    "read_lock",
    "read_locks",
    "read_outcomes",
    "read_stand_in",
    "select_image",
    "select_locks",
    "select_targets",
    "stand_in_path",
    "why_unlocked",
]

_MOST_SHOWN = 8


def lock_files(project: Project) -> tuple[tuple[str, Path], ...]:
    """Return every lock file as its path below the lock folder, sorted, and its place."""
    found = sorted(project.locks.glob("*/*/*.toml"))
    return tuple((lock_place(project, path), path) for path in found)


def lock_path(project: Project, target: Target) -> Path:
    """Return where the lock of a target lies (LockError if a symbolic link leads there)."""
    path = project.locks / target.path
    lock_place(project, path)
    return path


def lock_place(project: Project, path: Path) -> str:
    """Return the place of a file below the lock folder; empty for one that lies elsewhere.

    The place decides which target a lock must be of. A symbolic link below the
    lock folder would give one file two places, so that a lock of another
    target passes for the one that is asked for: LockError.
    """
    for named in (Path(os.path.abspath(path)), path.resolve()):  # noqa: PTH100 - a link must stay visible
        root = next((folder for folder in named.parents if _is_lock_folder(project, folder)), None)
        if root is not None:
            below = named.relative_to(root)
            _check_no_link(root, below)
            return below.as_posix()
    return ""


def _is_lock_folder(project: Project, folder: Path) -> bool:
    if folder == project.locks:
        return True
    return folder.name == project.locks.name and project.locks.is_dir() and folder.samefile(project.locks)


def _check_no_link(root: Path, below: Path) -> None:
    for part in (below, *below.parents):
        if (root / part).is_symlink():
            raise LockError(
                "is a symbolic link",
                place=f"{root.name}/{part.as_posix()}" if part.parts else root.name,
                hint="put the locks themselves there: a link hides which target a lock is of",
            )


def locked_targets(project: Project) -> tuple[Target, ...]:
    """Return what the lock folder has locks of, sorted."""
    found = (Target.of_path(path) for path, _ in lock_files(project))
    return tuple(sorted(target for target in found if target is not None))


def outcomes_path(project: Project) -> Path:
    """Return where it is recorded what `lock` said of targets without a lock."""
    return project.locks / "outcomes.toml"


def read_outcomes(project: Project) -> LockOutcomes:
    """Read what was recorded; nothing if there is no record (LockError)."""
    path = outcomes_path(project)
    if not path.is_file():
        return LockOutcomes()
    return load_outcomes(read_bytes(path, error=LockError), place=f"lock/{path.name}")


def stand_in_path(project: Project) -> Path:
    """Return where it is recorded what the printed commands of untried cells did on a stand-in."""
    return project.locks / "stand-in.toml"


def read_stand_in(project: Project) -> LockOutcomes:
    """Read what was recorded; nothing if there is no record (LockError)."""
    path = stand_in_path(project)
    if not path.is_file():
        return LockOutcomes()
    return load_outcomes(read_bytes(path, error=LockError), place=f"lock/{path.name}")


def matrix_cells(project: Project, selection: Selection) -> tuple[matrix.Cell, ...]:
    """Return the selected cells of the support matrix, by the recipes, locks and records of the project."""
    return matrix.cells(
        project.library(),
        locked_targets(project),
        read_outcomes(project).by_target(),
        selection,
        stand_in=read_stand_in(project).by_target(),
    )


def select_targets(project: Project, selection: Selection, targets: Collection[Target]) -> tuple[Target, ...]:
    """Return those of `targets` that are selected, sorted; see `builder.selection.choose` for the errors."""

    def unlocked(part: Selection) -> Sequence[UnlockedTarget]:
        return _unlocked_targets(project, part, targets)

    known = _target_names(project) | TargetNames.of(targets)
    return choose(selection, targets, known=known, unlocked=unlocked)


def select_locks(
    project: Project, selection: Selection, *, missing: Collection[Target] = ()
) -> tuple[Target, ...]:
    """Return the locked targets that are selected, sorted; without a release, those of the default one.

    `missing` are targets without a lock that the caller reports: a name that has only these is no error.
    """
    have = locked_targets(project)
    if not have and not missing and selection.is_empty:
        raise UsageError("no lock is here", place=str(project.locks), hint="run `python -m builder lock`")
    if not selection.releases:
        selection = replace(selection, releases=(_default_release(project, have),))
    chosen = select_targets(project, selection, {*have, *missing})
    return tuple(target for target in chosen if target in have)


def _target_names(project: Project) -> TargetNames:
    """Return every name that the project's recipes or locks have."""
    names = TargetNames.of(locked_targets(project))
    return names | project.library().target_names if project.has_recipes else names


def _unlocked_targets(
    project: Project, selection: Selection, targets: Collection[Target]
) -> tuple[UnlockedTarget, ...]:
    """Return why targets of a selection are not among `targets`, as `matrix` knows it from the recipes."""
    if not project.has_recipes:
        return ()
    every = matrix_cells(project, selection)
    found = sorted(
        every, key=lambda cell: cell.state is not matrix.CellState.REFUSED
    )  # what cannot be, first
    return tuple(
        UnlockedTarget(
            target=cell.target,
            reason="it is locked, but not among the locks that were named"
            if cell.state is matrix.CellState.LOCKED
            else f"{cell.word}: {cell.reason}",
            command=matrix.command([cell]),
        )
        for cell in found
        if cell.target not in targets
    )


def why_unlocked(project: Project, selection: Selection) -> str:
    """Return in words why the selected targets have no lock; empty for those of which nothing is known."""
    return reasons_text(_unlocked_targets(project, selection, locked_targets(project)))


def select_image(project: Project, selection: Selection) -> tuple[Target, ...]:
    """Return the locks of one image, one an architecture: one release, one platform, one framework.

    Without a platform the first that the release's recipe lists is meant, so
    that the recommended one is what a bare command renders.
    """
    chosen = select_locks(project, selection)
    frameworks = sorted({target.framework for target in chosen})
    if len(frameworks) > 1:
        raise UsageError(
            f"several frameworks are locked: {', '.join(frameworks)}",
            place="--framework",
            hint=f"name one, such as --framework {frameworks[0]}",
        )
    releases = sorted({target.release for target in chosen})
    if len(releases) > 1:
        raise UsageError(f"several releases are selected: {', '.join(releases)}", place="--release")
    platforms = sorted({target.platform for target in chosen})
    if len(selection.platforms) > 1 and len(platforms) > 1:
        raise UsageError(f"several platforms are selected: {', '.join(platforms)}", place="--platform")
    platform = platforms[0] if len(platforms) == 1 else _default_platform(project, chosen[0], platforms)
    return tuple(target for target in chosen if target.platform == platform)


def _default_release(project: Project, targets: Sequence[Target]) -> str:
    """Return the recipes' default release, or where there are no recipes the newest that is locked."""
    try:
        return project.library().default_release.version
    except BuilderError:
        return max((target.release for target in targets), key=release_order, default="")


def _default_platform(project: Project, target: Target, platforms: list[str]) -> str:
    try:
        release = project.library().release(target.release)
    except BuilderError:
        release = None
    for row in release.targets if release else ():
        for platform in row.platforms:
            if row.framework == target.framework and platform in platforms:
                return platform
    raise UsageError(
        f"several platforms are locked: {', '.join(platforms)}",
        place="--platform",
        hint=f"name one, such as --platform {platforms[0]}",
    )


def read_lock(project: Project, path: Path) -> tuple[Lock, bytes]:
    """Read one lock and insist on its integrity (LockError)."""
    data = read_bytes(path, error=LockError)
    place = _shown_path(project, path)
    return load_lock(data, place=place, path=lock_place(project, path)), data


def read_locks(project: Project, targets: Iterable[Target]) -> tuple[tuple[Lock, bytes], ...]:
    """Read the locks of `targets`, each with its bytes, and insist on their integrity (LockError)."""
    return tuple(read_lock(project, lock_path(project, target)) for target in targets)


def compare_with_recipes(project: Project, locks: Iterable[Lock], *, stale: bool) -> RecipeComparison:
    """Compare locks that are about to be rendered with the recipes beside them, if there are any.

    LockError for the first lock that differs; one that may be `stale` is a warning instead, and so are
    locks without recipes. RecipeError if the recipes cannot be read.
    """
    if not project.has_recipes:
        project.console.warning(RecipeComparison.NOT_COMPARED.value)
        return RecipeComparison.NOT_COMPARED
    library = project.library()
    compared = RecipeComparison.AGREES
    for lock in locks:
        texts = _recipe_mismatches(lock, library)
        if not texts:
            continue
        more = f" and {len(texts) - _MOST_SHOWN} more" if len(texts) > _MOST_SHOWN else ""
        error = LockError(
            f"recipe-mismatch: {'; '.join(texts[:_MOST_SHOWN])}{more}",
            place=f"lock/{lock.target.path}",
            hint="run `python -m builder lock`, or take it as it is: --stale",
        )
        if not stale:
            raise error
        project.console.warning(str(error))
        compared = RecipeComparison.DIFFERS
    return compared


def _recipe_mismatches(lock: Lock, library: Library) -> list[str]:
    try:
        recipe = effective_recipe(library, lock.target)
    except (UsageError, NoSolutionError) as error:
        return [f"the recipes do not make it: {error.cause}"]
    return [f"{one.row}: {one.text}" if one.row else one.text for one in recipe_faults(recipe, lock)]


def _shown_path(project: Project, path: Path) -> str:
    return path.relative_to(project.root).as_posix() if path.is_relative_to(project.root) else str(path)

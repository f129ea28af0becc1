"""One cell for every framework, release, platform and architecture, with its reason and trap. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from builder.errors import BuilderError, FetchError
from builder.matrix.release_versions import newest_first
from builder.matrix.typed_refusals import without_typed_refusals
from builder.model import Arch, Target
from builder.recipe import (
    EffectiveRecipe,
    Library,
    LockOutcome,
    TargetRefusal,
    effective_recipe,
    inputs_digest,
    missing_pins,
    target_refusal,
)
from builder.selection import Selection

__all__ = ["Cell", "CellState", "cells", "command", "open_targets", "suggestion", "trap_of", "waiting_cells"]

_EXPERIMENTAL = "experimental"
_IMAGE_PINS = (": digest of the image ", ": inventory of ", ": Python distributions of ")


class CellState(StrEnum):
    """What is true of a target."""

    LOCKED = "locked"
    REFUSED = "refused"
    LOCKABLE = "lockable"
    """`lock` ran to its end on real bytes with these recipes (exit 0), and there is no lock."""
    STAND_IN = "command tried on a stand-in"
    """The printed command ran to its end on archives, indexes and registries made of what is published."""
    NOT_LOCKABLE = "not lockable"
    """No command leads to a lock: something is missing, and the reason says what."""
    UNTRIED = "untried"
    """Nobody ran `lock` to its end: pins are missing, an index gave no answer, or no trial is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One target and what is true of it."""

    target: Target
    state: CellState
    experimental: bool
    """Whether its platform is experimental."""
    reason: str = ""
    """Why it is not locked; empty for a locked one."""
    trap: str = ""
    by: str = ""
    """Who refuses: `release` (its recipe), `recipes` (they do not fit together), or `lock` (it was tried)."""
    pinning: tuple[str, ...] = ()
    """For an untried one, the commands that would fill its missing pins."""

    @property
    def word(self) -> str:
        """The state in words: `locked`, `experimental`, `refused (T3)`, `untried` and so on."""
        if self.state is CellState.LOCKED:
            return _EXPERIMENTAL if self.experimental else self.state
        if self.state is CellState.REFUSED:
            return f"{self.state} ({self.trap})" if self.trap else self.state
        return f"{self.state}, {_EXPERIMENTAL}" if self.experimental else self.state


def cells(
    library: Library,
    locked: Collection[Target],
    outcomes: Mapping[Target, LockOutcome],
    selection: Selection | None = None,
    *,
    stand_in: Mapping[Target, LockOutcome] | None = None,
) -> tuple[Cell, ...]:
    """Return every selected cell: newest release first, then by framework, platform and architecture.

    `outcomes` are trials on real bytes, `stand_in` those of the printed commands on a stand-in.
    """
    have, wanted = frozenset(locked), selection or Selection()
    return tuple(
        _target_cell(library, target, have, outcomes, stand_in or {})
        for release in newest_first(library, wanted.releases)
        for target in _release_targets(library, release.version)
        if wanted.holds(target)
    )


def _release_targets(library: Library, release: str) -> Iterator[Target]:
    for framework in sorted(library.frameworks):
        for platform in sorted(library.platforms):
            for arch in Arch:
                yield Target(release=release, platform=platform, framework=framework, arch=arch)


def _target_cell(
    library: Library,
    target: Target,
    have: frozenset[Target],
    outcomes: Mapping[Target, LockOutcome],
    stand_in: Mapping[Target, LockOutcome],
) -> Cell:
    experimental = library.platform(target.platform).status == _EXPERIMENTAL
    cell = Cell(target=target, state=CellState.LOCKED, experimental=experimental)
    if target in have:
        return cell
    row = target_refusal(library.release(target.release), target)
    try:
        recipe = effective_recipe(library, target)
    except BuilderError as error:
        if row is None or row.unreached:  # a row that waits for a place refuses nothing
            return _unfit_cell(cell, _recipe_reason(error, target), "recipes")
        return _refused_cell(cell, row)
    missing = missing_pins(recipe)
    if row is not None and not row.unreached:
        return _refused_cell(cell, row)
    found = _tried_cell(cell, row, missing, _recorded_outcome(outcomes, target, recipe))
    if found.state is CellState.UNTRIED:
        return _stand_in_cell(found, missing, _recorded_outcome(stand_in, target, recipe))
    return found


def _recorded_outcome(
    outcomes: Mapping[Target, LockOutcome], target: Target, recipe: EffectiveRecipe
) -> LockOutcome | None:
    """Return what was recorded of a target, if it was tried with these very recipes."""
    found = outcomes.get(target)
    return found if found is not None and found.inputs == inputs_digest(recipe) else None


def _tried_cell(
    cell: Cell, row: TargetRefusal | None, missing: Sequence[str], outcome: LockOutcome | None
) -> Cell:
    """Return a cell that no release refuses for good, by what a trial found.

    Only a whole trial that ended in exit 0 makes a cell lockable. If pins are missing, a trial
    resolves the Python distributions alone: it can refuse a target, and proves nothing else.
    """
    if outcome is not None and outcome.exit not in (0, FetchError.exit_code):
        return _unfit_cell(cell, outcome.said, "lock")
    if missing:
        # A release's own reason says what could not be reached, in fewer words than the list of pins.
        reason = row.reason if row is not None else f"pins are missing: {'; '.join(missing)}"
        pinning = _pin_commands(cell.target.platform, missing)
        return _untried_cell(cell, f"not tried: {reason}", pinning)
    if outcome is None:
        return _untried_cell(cell, f"not tried: {row.reason if row else 'no trial with these recipes'}")
    if outcome.exit:
        return _untried_cell(cell, f"not tried to its end: {row.reason if row else outcome.said}")
    return replace(cell, state=CellState.LOCKABLE, reason="`lock` ran to its end, and no lock is committed")


def _stand_in_cell(cell: Cell, missing: Sequence[str], outcome: LockOutcome | None) -> Cell:
    """Return a cell that was not tried on real bytes, by what its printed command did on a stand-in."""
    if unnamed := [text for text in missing if _is_unnamed(text)]:
        what = "; ".join(text.partition(": ")[2] for text in unnamed)
        verb = "is missing" if len(unnamed) == 1 else "are missing"
        return replace(
            cell,
            state=CellState.NOT_LOCKABLE,
            reason=f"{what} {verb}: no command fills in what a recipe does not name",
            pinning=(),
        )
    if outcome is None:
        return cell
    if outcome.exit:
        return replace(cell, state=CellState.NOT_LOCKABLE, reason=outcome.said, pinning=())
    return replace(cell, state=CellState.STAND_IN)


def _recipe_reason(error: BuilderError, target: Target) -> str:
    """Return what recipes say of `target`; each cell shows its target and state, so neither is repeated."""
    return error.cause.removeprefix("refused: ") if error.place == str(target) else str(error)


def _refused_cell(cell: Cell, row: TargetRefusal) -> Cell:
    return replace(cell, state=CellState.REFUSED, reason=row.reason, trap=row.trap, by="release")


def _unfit_cell(cell: Cell, reason: str, by: str) -> Cell:
    return replace(cell, state=CellState.REFUSED, reason=reason, trap=trap_of(reason), by=by)


def _untried_cell(cell: Cell, reason: str, pinning: tuple[str, ...] = ()) -> Cell:
    return replace(cell, state=CellState.UNTRIED, reason=reason, pinning=pinning)


def command(group: Sequence[Cell]) -> str:
    """Return the command line that locks `group`, cells of one release; empty unless all are lockable."""
    return _lock_command(group, CellState.LOCKABLE)


def suggestion(group: Sequence[Cell]) -> str:
    """Return the command line that would try `group`, cells of one release; empty unless all are untried.

    Nobody ran it on real bytes: it may fail. That of cells that were tried on a stand-in ran through there.
    """
    return _lock_command(group, CellState.UNTRIED) or _lock_command(group, CellState.STAND_IN)


def _lock_command(group: Sequence[Cell], state: CellState) -> str:
    if not group or any(cell.state is not state for cell in group):
        return ""
    words = {"--release": [cell.target.release for cell in group]}
    words["--platform"] = [cell.target.platform for cell in group]
    words["--framework"] = [cell.target.framework for cell in group]
    words["--arch"] = [cell.target.arch.value for cell in group]
    options = [f"{option} {value}" for option, values in words.items() for value in dict.fromkeys(values)]
    pinning = dict.fromkeys(line for cell in group for line in cell.pinning)
    return " && ".join((*pinning, f"python -m builder lock {' '.join(options)}"))


def _is_unnamed(missing: str) -> bool:
    """Say whether a pin is missing because the recipe does not name what to pin."""
    return any(words in missing for words in (": base for ", " image for ", ": path of the repository "))


def _pin_commands(platform: str, missing: Sequence[str]) -> tuple[str, ...]:
    """Return the commands that fill what is missing, in order."""
    about = {
        "git": any("git." in text for text in missing),
        f"repositories {platform}": any("InRelease" in text or "repomd.xml" in text for text in missing),
        f"image {platform}": any(words in text for text in missing for words in _IMAGE_PINS),
    }
    return tuple(f"python -m builder pin {what}" for what, needed in about.items() if needed)


def open_targets(library: Library, locked: Collection[Target]) -> dict[Target, str]:
    """Return the targets whose state only a trial can tell, each with the digest of its recipe's inputs.

    What releases refuse counts too: a trial says whether a typed refusal is needed, and still holds.
    """
    found = cells(without_typed_refusals(library), locked, {})
    open_now = (cell.target for cell in found if cell.state in (CellState.UNTRIED, CellState.NOT_LOCKABLE))
    return {target: inputs_digest(effective_recipe(library, target)) for target in open_now}


def waiting_cells(
    library: Library, locked: Collection[Target], outcomes: Mapping[Target, LockOutcome]
) -> tuple[Cell, ...]:
    """Return the cells whose printed command only a stand-in can run here."""
    return tuple(cell for cell in cells(library, locked, outcomes) if cell.state is CellState.UNTRIED)


# The words are those of the errors themselves; each trap's own test folder is classified in the tests.
_WORDS = (
    ("T5", r"is a stub|is published as source only"),
    ("T3", r"is built without CUDA|is a build for CUDA|the target has the toolkit of CUDA|CPU-only"),
    ("T1", r"never existed on the index|component \S+ provides"),
    ("T2", r"the recipe binds |after the date bound|is of one family with"),
    ("T15", r"is for CUDA \d+(\.\d+)?, and |is of CUDA \d+(\.\d+)?, and |^check "),
    (
        "T4",
        (
            r"has no wheel for this target|counts, and it is not known|is not bound by `==`"
            r"|on every architecture"
        ),
    ),
)


def trap_of(text: str) -> str:
    """Return the name of the trap, such as `T4`, or nothing for a text about none of T1 to T5 and T15."""
    return next((trap for trap, words in _WORDS if re.search(words, text)), "")

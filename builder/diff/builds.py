"""How components are built: steps, flags, environment, checks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from builder.diff.change import RowChange, RowKind, added, came, changed, differing, removed, went
from builder.diff.commands import checks, steps
from builder.diff.order import upstream
from builder.diff.pairs import pair
from builder.diff.risk import Risk, replaced
from builder.diff.settings import variables
from builder.lockfile import Build, Lock

__all__ = ["builds"]

_PARTS = ("component", "env", "steps", "checks")


def builds(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield the changes of builds: a change a step, variable and check, and one for the rest of each."""
    found = pair(before.builds, after.builds, [lambda row: row.component])
    for row in found.added:
        fields = came(row, {"version": Risk.NEW}, without=("component",))
        yield added(RowKind.BUILD, row.component, fields, after=row.version)
    for row in found.removed:
        fields = went(row, "version", without=("component",))
        yield removed(RowKind.BUILD, row.component, fields, before=row.version)
    moved = _moved_versions(before, after)
    for old, new in found.changed:
        known = (new.component, old.version, new.version) in moved
        fields = differing(
            old,
            new,
            partial(_build_field_risk, old=old, new=new, known=known),
            without=_PARTS,
        )
        if fields:
            yield changed(RowKind.BUILD, new.component, fields, before=old.version, after=new.version)
        versions = (old.version, new.version)
        yield from variables(f"{new.component}: ", old.env, new.env, versions)
        yield from steps(new.component, old.steps, new.steps, versions)
        yield from checks(f"{new.component}: ", old.checks, new.checks, versions)


def _moved_versions(before: Lock, after: Lock) -> set[tuple[str, str, str]]:
    """Return (component, version before, version after) of what rows of sources and archives say."""
    rows = (before.sources, after.sources), (before.archives, after.archives)
    return {
        (new.component, old.version, new.version)
        for olds, news in rows
        for old in olds
        for new in news
        if old.component == new.component
    }


def _build_field_risk(name: str, old: Build, new: Build, *, known: bool) -> Risk:
    match name:
        case "version":
            return Risk.CONSEQUENCE if known else upstream(old.version, new.version)
        case "license":
            return replaced(old.license, Risk.LICENCE)
        case "archives" if old.version != new.version:
            return Risk.CONSEQUENCE
    return Risk.SETTINGS

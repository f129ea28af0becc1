"""Components: their sources from git, and how they are built: steps, flags, environment, checks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from builder.diff.change import (
    ChangedField,
    RowChange,
    RowKind,
    added,
    by_risk,
    came,
    changed,
    differing,
    pair,
    removed,
    reordered,
    went,
)
from builder.diff.commands import checks, patches, steps
from builder.diff.order import upstream
from builder.diff.risk import Risk, evidence, replaced
from builder.diff.settings import variables
from builder.lockfile import Build, GitSource, Lock

__all__ = ["builds", "git"]

_NAME = ("component",)


def git(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield the changes of sources from git."""
    found = pair(before.sources, after.sources, [lambda row: row.component])
    known = {row.git for row in before.sources}
    for row in found.added:
        risks = {"version": Risk.NEW} | ({} if row.git in known else {"git": Risk.ORIGIN})
        yield added(RowKind.GIT, row.component, came(row, risks, without=_NAME), after=row.version)
    for row in found.removed:
        yield removed(RowKind.GIT, row.component, went(row, "version", without=_NAME), before=row.version)
    for old, new in found.changed:
        fields = differing(old, new, partial(_git_field_risk, old=old, new=new), without=("submodules",))
        yield changed(
            RowKind.GIT,
            new.component,
            by_risk((*fields, *_submodule_fields(old, new)))
            or reordered("submodules", old.submodules, new.submodules),
            before=old.version,
            after=new.version,
        )


def _git_field_risk(name: str, old: GitSource, new: GitSource) -> Risk:  # noqa: PLR0911 - one return a kind of field
    match name:
        case "version":
            return upstream(old.version, new.version)
        case "git":
            return Risk.ORIGIN
        case "commit" if new.tag and old.tag == new.tag:
            return Risk.TAG
        case "commit":
            return Risk.BYTES if old.version == new.version else Risk.CONSEQUENCE
        case "tree" | "sha256":
            return Risk.BYTES if old.commit == new.commit else Risk.CONSEQUENCE
        case "evidence":
            return evidence(old.evidence, new.evidence)
        case "tag" if old.tag and not new.tag:
            return Risk.EVIDENCE  # nothing but the commit's id says now what this is
        case "tag":
            return Risk.TAG if old.tag and old.version == new.version else Risk.CONSEQUENCE
        case "reason":
            return Risk.CONSEQUENCE
    return Risk.SETTINGS


def _submodule_fields(old: GitSource, new: GitSource) -> Iterator[ChangedField]:
    """Yield what differs in submodules: with the outer commit unchanged nothing can, for it names theirs."""
    bytes_ = Risk.BYTES if old.commit == new.commit else Risk.CONSEQUENCE
    found = pair(old.submodules, new.submodules, [lambda row: row.path])
    for row in found.added:
        yield ChangedField(
            key=f"submodule {row.path}", before="", after=f"{row.commit} of {row.git}", risk=Risk.NEW
        )
    for row in found.removed:
        yield ChangedField(
            key=f"submodule {row.path}", before=f"{row.commit} of {row.git}", after="", risk=bytes_
        )
    for left, right in found.changed:
        for item in differing(left, right, lambda name: Risk.ORIGIN if name == "git" else bytes_):
            key = f"submodule {right.path} {item.key}"
            yield ChangedField(key=key, before=item.before, after=item.after, risk=item.risk)


_PARTS = ("component", "env", "patches", "steps", "checks")


def builds(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield the changes of builds: a change a step, variable and check, and one for the rest of each."""
    found = pair(before.builds, after.builds, [lambda row: row.component])
    for row in found.added:
        fields = came(row, {"version": Risk.NEW}, without=("component", "patches"))
        yield added(RowKind.BUILD, row.component, fields, after=row.version)
        yield from patches(row.component, (), row.patches)
    for row in found.removed:
        fields = went(row, "version", without=("component", "patches"))
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
        yield from patches(new.component, old.patches, new.patches)
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

"""Sources from git."""

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
    removed,
    reordered,
    went,
)
from builder.diff.order import upstream
from builder.diff.pairs import pair
from builder.diff.risk import Risk, evidence
from builder.lockfile import GitSource, Lock

__all__ = ["git"]

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

"""What stands once in a lock: its header, the platform, the run-time configuration, the recipe's digests."""

from __future__ import annotations

from collections.abc import Iterator

from builder.diff.change import ChangedField, RowChange, RowKind, added, changed, differing, removed
from builder.diff.commands import checks, follows
from builder.diff.risk import Risk
from builder.lockfile import Lock
from builder.model import Table, unstructure

__all__ = ["catalogue", "header", "platform", "recipe", "runtime", "variables"]

_SECTIONS = (
    *("environment", "runtime", "inputs", "catalogue", "images", "repositories"),
    *("sources", "archives", "python", "os_packages", "builds"),
)
_DERIVED = ("recipe_digest",)


def header(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield the changes of the header, a change a key."""
    risks = dict.fromkeys(_DERIVED, Risk.CONSEQUENCE)
    fields = differing(before, after, lambda name: risks.get(name, Risk.SETTINGS), without=_SECTIONS)
    yield from (changed(RowKind.HEADER, item.key, (item,)) for item in fields)


def platform(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield the changes of what the target is, a change a key."""
    fields = differing(before.environment, after.environment, lambda _: Risk.SETTINGS)
    yield from (changed(RowKind.PLATFORM, item.key, (item,)) for item in fields)


def runtime(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield the changes of what the image is told at run time."""
    old, new = before.runtime, after.runtime
    yield from variables("", old.env, new.env)
    yield from checks("", old.checks, new.checks)
    fields = differing(old, new, lambda _: Risk.SETTINGS, without=("env", "checks"))
    yield from (changed(RowKind.RUNTIME, item.key, (item,)) for item in fields)


def variables(
    owner: str, before: Table, after: Table, versions: tuple[str, str] = ("", "")
) -> Iterator[RowChange]:
    """Yield the changes of environment variables; `owner` is put before their names."""
    for name, old, new in _changed_keys(before, after):
        risk = Risk.CONSEQUENCE if follows(old, new, versions) else Risk.SETTINGS
        field = ChangedField(key="value", before=old or "", after=new or "", risk=risk)
        make = added if old is None else removed if new is None else changed
        yield make(RowKind.VARIABLE, f"{owner}{name}", (field,))


def recipe(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield the keys of the effective recipe whose digest changed: all of it shows in other rows."""
    for key, old, new in _changed_keys(before.inputs, after.inputs):
        field = ChangedField(key="digest", before=old or "", after=new or "", risk=Risk.CONSEQUENCE)
        make = added if old is None else removed if new is None else changed
        yield make(RowKind.RECIPE, key, (field,))


def catalogue(before: Lock, after: Lock) -> Iterator[RowChange]:
    """Yield what changed of the catalogue's part: its files are among the keys that `recipe` yields."""
    old, new = ({} if lock.catalogue is None else unstructure(lock.catalogue) for lock in (before, after))
    for key in sorted(old | new):
        if old.get(key) != new.get(key):
            field = ChangedField(
                key=key, before=old.get(key, ""), after=new.get(key, ""), risk=Risk.CONSEQUENCE
            )
            yield changed(RowKind.RECIPE, "catalogue", (field,))


def _changed_keys(before: Table, after: Table) -> Iterator[tuple[str, str | None, str | None]]:
    lefts, rights = dict(before), dict(after)
    for key in sorted(lefts.keys() | rights.keys()):
        if lefts.get(key) != rights.get(key):
            yield key, lefts.get(key), rights.get(key)

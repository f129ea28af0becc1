"""A lock's Python rows against what other tools read: pylock.toml (PEP 751) and requirements with hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from builder.diff.accelerator import accelerator_family, accelerators_of_name
from builder.diff.change import Field, RowChange, RowKind, added, changed, removed
from builder.diff.fields import by_risk, show
from builder.diff.order import pep440
from builder.diff.pairs import pair
from builder.diff.risk import Risk
from builder.lockfile import RUNTIME, Lock

__all__ = ["ExportedPin", "compare_pins", "pins_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedPin:
    """One distribution as any of these files names it."""

    name: str
    """Normalised."""
    version: str
    """Empty where the file does not pin it."""
    digests: frozenset[str]
    """SHA-256 of the files that are accepted, in hexadecimal; empty where any file is."""


def pins_of(lock: Lock) -> tuple[ExportedPin, ...]:
    """Return what an export of the lock contains: the runtime's rows that have a file."""
    return tuple(
        ExportedPin(name=row.name, version=row.version, digests=frozenset({str(row.sha256)}))
        for row in lock.python
        if row.file and RUNTIME in row.for_
    )


def compare_pins(before: Sequence[ExportedPin], after: Sequence[ExportedPin]) -> tuple[RowChange, ...]:
    """Return the differences; more accepted files than one are none where the one is among them."""
    return tuple(sorted(_pin_changes(before, after), key=lambda change: change.name))


def _pin_changes(before: Sequence[ExportedPin], after: Sequence[ExportedPin]) -> Iterator[RowChange]:
    found = pair(before, after, [lambda pin: pin.name, lambda pin: accelerator_family(pin.name)])
    families = {accelerator_family(pin.name) for pin in before}
    for new in found.added:
        another = accelerators_of_name(new.name) and accelerator_family(new.name) in families
        fields = tuple(_added_pin_fields(new, Risk.ACCELERATOR if another else Risk.NEW))
        yield added(RowKind.PYTHON, new.name, fields, after=new.version)
    for old in found.removed:
        fields = tuple(
            Field(key=item.key, before=item.after, after="", risk=Risk.REMOVED)
            for item in _added_pin_fields(old, Risk.NEW)
        )
        yield removed(RowKind.PYTHON, old.name, fields, before=old.version)
    for old, new in found.changed:
        if fields := by_risk(_changed_pin_fields(old, new)):
            yield changed(RowKind.PYTHON, new.name, fields, before=old.version, after=new.version)


def _added_pin_fields(pin: ExportedPin, risk: Risk) -> Iterator[Field]:
    yield Field(key="version", before="", after=pin.version or "any", risk=risk)
    yield Field(key="sha256", before="", after=_digest_list(pin.digests), risk=Risk.CONSEQUENCE)


def _changed_pin_fields(old: ExportedPin, new: ExportedPin) -> Iterator[Field]:
    if old.name != new.name:
        yield Field(key="name", before=old.name, after=new.name, risk=Risk.ACCELERATOR)
    if old.version != new.version:
        risk = pep440(old.version, new.version) if old.version and new.version else Risk.EVIDENCE
        yield Field(key="version", before=old.version, after=new.version or "any", risk=risk)
    if old.digests == new.digests:
        return
    if old.digests and not new.digests:
        risk = Risk.EVIDENCE
    elif (old.name, old.version) != (new.name, new.version) or not old.digests:
        risk = Risk.CONSEQUENCE
    elif old.digests < new.digests or new.digests < old.digests:
        if 1 in {len(old.digests), len(new.digests)}:
            return  # the file of one side is among those that the other accepts
        risk = Risk.BYTES if old.digests < new.digests else Risk.CONSEQUENCE
    else:
        risk = Risk.BYTES
    yield Field(key="sha256", before=_digest_list(old.digests), after=_digest_list(new.digests), risk=risk)


def _digest_list(digests: Iterable[str]) -> str:
    return show(tuple(sorted(digests)))

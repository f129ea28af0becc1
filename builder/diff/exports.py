"""A lock's Python rows against what other tools read: pylock.toml (PEP 751) and requirements with hashes.

Both files are read as pins, and pins are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.pylock import Package, Pylock, PylockValidationError
from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from builder import model
from builder.diff.accelerator import accelerator_family, accelerators_of_name
from builder.diff.change import ChangedField, RowChange, RowKind, added, by_risk, changed, pair, removed, show
from builder.diff.order import pep440
from builder.diff.risk import Risk
from builder.errors import LockError
from builder.lockfile import RUNTIME, Lock, lock_full_pythons
from builder.model import check_line, parsed_requirement

__all__ = ["ExportedPin", "compare_pins", "marker_environment", "pins_of", "read_pylock", "read_requirements"]


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
            ChangedField(key=item.key, before=item.after, after="", risk=Risk.REMOVED)
            for item in _added_pin_fields(old, Risk.NEW)
        )
        yield removed(RowKind.PYTHON, old.name, fields, before=old.version)
    for old, new in found.changed:
        if fields := by_risk(_changed_pin_fields(old, new)):
            yield changed(RowKind.PYTHON, new.name, fields, before=old.version, after=new.version)


def _added_pin_fields(pin: ExportedPin, risk: Risk) -> Iterator[ChangedField]:
    yield ChangedField(key="version", before="", after=pin.version or "any", risk=risk)
    yield ChangedField(key="sha256", before="", after=_digest_list(pin.digests), risk=Risk.CONSEQUENCE)


def _changed_pin_fields(old: ExportedPin, new: ExportedPin) -> Iterator[ChangedField]:
    if old.name != new.name:
        yield ChangedField(key="name", before=old.name, after=new.name, risk=Risk.ACCELERATOR)
    if old.version != new.version:
        risk = pep440(old.version, new.version) if old.version and new.version else Risk.EVIDENCE
        yield ChangedField(key="version", before=old.version, after=new.version or "any", risk=risk)
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
    yield ChangedField(
        key="sha256", before=_digest_list(old.digests), after=_digest_list(new.digests), risk=risk
    )


def _digest_list(digests: Iterable[str]) -> str:
    return show(tuple(sorted(digests)))


_HASH = re.compile(r"\s--hash[= ]sha256:([0-9a-f]{64})(?=\s|$)")
_OTHER_HASH = re.compile(r"\s--hash[= ]\S+")
_COMMENT = re.compile(r"(^|\s)#.*$")


def marker_environment(lock: Lock) -> dict[str, str]:
    """Return what environment markers see on the target of a lock."""
    full = lock_full_pythons(lock).get(RUNTIME, "")
    return model.marker_environment(lock.arch, lock.environment.python, full)


def read_pylock(
    table: Mapping[str, Any], environment: Mapping[str, str] | None, *, place: str
) -> tuple[ExportedPin, ...]:
    """Read a parsed pylock.toml; what does not hold in `environment` is left out (LockError)."""
    try:
        packages = Pylock.from_dict(table).packages
    except PylockValidationError as error:
        raise LockError(f"not a valid pylock.toml: {error}", place=place) from None
    return _unique_pins(
        (
            ExportedPin(
                name=_printable_line(str(package.name), place),
                version=str(package.version or ""),
                digests=_file_digests(package),
            )
            for package in packages
            if _marker_holds(package.marker, environment)
        ),
        place,
    )


def _file_digests(package: Package) -> frozenset[str]:
    files = [*(package.wheels or ()), *([package.sdist] if package.sdist else ())]
    if package.archive is not None:
        files.append(package.archive)
    return frozenset(item.hashes["sha256"] for item in files if "sha256" in item.hashes)


def read_requirements(
    text: str, environment: Mapping[str, str] | None, *, place: str
) -> tuple[ExportedPin, ...]:
    """Read a requirements file of pins with hashes, as pip and uv write it (LockError)."""
    return _unique_pins(_requirement_pins(text, environment, place), place)


def _requirement_pins(text: str, environment: Mapping[str, str] | None, place: str) -> Iterator[ExportedPin]:
    for number, line in _logical_lines(text):
        here = f"{place}: line {number}"
        if line.startswith("-"):
            if re.match(r"-r|-c|-e|--requirement|--constraint|--editable", line):
                raise LockError(
                    f"{line.split()[0]} is not followed", place=here, hint="compare a compiled file"
                )
            continue  # an index or an option of the installer: a lock names no places
        bare = _OTHER_HASH.sub("", f"{line} ").strip()
        try:
            requirement = parsed_requirement(bare)
        except InvalidRequirement:
            raise LockError(f"not a requirement: {_printable_line(bare, here)[:80]!r}", place=here) from None
        if _marker_holds(requirement.marker, environment):
            pinned = re.fullmatch(r"===?([^*,]+)", str(requirement.specifier))
            name = _printable_line(str(canonicalize_name(requirement.name)), here)
            digests = frozenset(_HASH.findall(f"{line} "))
            yield ExportedPin(name=name, version=pinned[1] if pinned else "", digests=digests)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, logical line): continued lines joined, comments and blank lines left out."""
    joined, start = "", 0
    for number, raw in enumerate(text.split("\n"), start=1):
        start = start or number
        line = raw.rstrip("\r")
        if line.endswith("\\"):
            joined += f"{line[:-1]} "
            continue
        whole = _COMMENT.sub("", joined + line).strip()
        if whole:
            yield start, whole
        joined, start = "", 0
    if joined.strip():
        yield start, joined.strip()


def _marker_holds(marker: Marker | None, environment: Mapping[str, str] | None) -> bool:
    if environment is None:
        return True
    try:
        return model.marker_holds(marker, environment)
    except (model.OpenMarkerError, UndefinedComparison, UndefinedEnvironmentName):
        return True


def _printable_line(text: str, place: str) -> str:
    try:
        return check_line(text)
    except ValueError as error:
        raise LockError(str(error), place=place) from None


def _unique_pins(pins: Iterable[ExportedPin], place: str) -> tuple[ExportedPin, ...]:
    found: dict[str, ExportedPin] = {}
    for pin in pins:
        if pin.name in found and found[pin.name] != pin:
            raise LockError(
                f"{pin.name} is listed twice, as {found[pin.name].version} and {pin.version}",
                place=place,
                hint="compare it with a lock, whose target decides between markers",
            )
        found[pin.name] = pin
    return tuple(found.values())

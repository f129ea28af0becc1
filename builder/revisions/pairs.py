"""From two sides to compared locks: parsed, judged by their own integrity, paired."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from builder import diff
from builder.diff import (
    Compared,
    ExportedPin,
    Unsound,
    came_whole,
    compare,
    compare_pins,
    pins_of,
    rewritten,
    went_whole,
)
from builder.errors import LockError
from builder.lockfile import Examined, Lock, examine, parse_lock
from builder.model import Target, release_order, toml
from builder.revisions.sides import Side, Sides

__all__ = ["Reading", "compare_sides", "targets_by_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was compared, and which locks fail their own integrity check."""

    compared: tuple[Compared, ...]
    unsound: tuple[Unsound, ...]


def targets_by_name(sides: Sides) -> dict[str, frozenset[Target]]:
    """Return what each lock of either side is of: by its path and, where it is read anyway, by its own word.

    A lock that lies at the path of another target counts for both, so that no
    filter hides it. Exports name no target. LockError for a file that is not a lock.
    """
    before, after = sides.before, sides.after
    found = {}
    for name in sides.names:
        at_path = Target.of_path(name)
        targets = {at_path} if at_path else set()
        if at_path is None or not _same_bytes(sides, name):
            targets |= {
                parse_lock(side.files[name], place=side.places[name]).target
                for side in (before, after)
                if name in side.files and not (name == "" and _is_export(side))
            }
        found[name] = frozenset(targets)
    return found


def compare_sides(sides: Sides, chosen: Collection[str]) -> Reading:
    """Compare each of the chosen locks with what it was; LockError for a file that is not a lock."""
    before, after = sides.before, sides.after
    if before.files.keys() == after.files.keys() == {""} and (_is_export(before) or _is_export(after)):
        return Reading(compared=(_compared_exports(before, after),), unsound=())
    compared, judged = [], []
    for name in sorted(chosen):
        if _same_bytes(sides, name):
            _check_named_lock(before, name)
            compared.append(Compared(target=_lock_label(name), before=name, after=name, changes=()))
            continue
        old, new = _examined_lock(before, name), _examined_lock(after, name)
        compared.append(_compared_pair(sides, name, old.lock if old else None, new.lock if new else None))
        judged += [
            *_unsound_locks(before, name, old, after=False),
            *_unsound_locks(after, name, new, after=True),
        ]
    return Reading(compared=tuple(compared), unsound=tuple(judged))


def _same_bytes(sides: Sides, name: str) -> bool:
    if name not in sides.before.names or name not in sides.after.names:
        return False
    return sides.before.files.get(name) == sides.after.files.get(name)


def _check_named_lock(side: Side, name: str) -> None:
    """Refuse a named file that is not a lock, though nothing changed in it (LockError)."""
    if Target.of_path(name) is None and name in side.files:
        parse_lock(side.files[name], place=side.places[name])


def _examined_lock(side: Side, name: str) -> Examined | None:
    """Read a lock and judge it by its own integrity; LockError for what cannot be read."""
    if name not in side.files:
        return None
    place = name if name.count("/") >= 2 else ""
    below = "/".join(place.split("/")[-3:])
    found = examine(side.files[name], name=side.places[name], place=below)
    if found.lock is None:
        parse_lock(side.files[name], place=side.places[name])  # says why it cannot be read
    return found


def _compared_pair(sides: Sides, name: str, old: Lock | None, new: Lock | None) -> Compared:
    before, after = sides.before, sides.after
    if new is None:
        assert old is not None  # noqa: S101 - the name is on one side at least
        label = _lock_label(name) or str(old.target)
        return Compared(target=label, before=name or before.label, after="", changes=(went_whole(old),))
    label = _lock_label(name) or str(new.target)
    if old is not None:
        changes = compare(old, new) or rewritten(before.files[name], after.files[name])
        return Compared(target=label, before=name or before.label, after=name or after.label, changes=changes)
    earlier = _earlier_lock(before, name)
    if not earlier:
        return Compared(target=label, before="", after=name or after.label, changes=(came_whole(new),))
    base = parse_lock(before.files[earlier], place=before.places[earlier])
    changes = (came_whole(new, _lock_label(earlier)), *compare(base, new))
    return Compared(target=label, before=earlier, after=name, changes=changes)


def _earlier_lock(side: Side, name: str) -> str:
    """Return the lock of the newest earlier release for the same platform, framework and architecture."""
    own = name.split("/")
    if len(own) < 3:
        return ""
    release = release_order(own[-3])
    known = [parts for item in side.files if len(parts := item.split("/")) >= 3]
    found = [item for item in known if item[-2:] == own[-2:] and item[:-3] == own[:-3]]
    earlier = [item for item in found if release_order(item[-3]) < release]
    newest = max(earlier, key=lambda item: release_order(item[-3]), default=[])
    return "/".join(newest)


def _lock_label(name: str) -> str:
    return name.removeprefix("lock/").removesuffix(".toml")


def _unsound_locks(side: Side, name: str, found: Examined | None, *, after: bool) -> Iterator[Unsound]:
    lines = (
        tuple(f"{item.row}: {item.text}" if item.row else item.text for item in found.findings)
        if found
        else ()
    )
    if lines:
        yield Unsound(place=side.places[name], findings=lines, after=after)


def _is_export(side: Side) -> bool:
    """Tell by its name whether another tool reads a file, so that it is not a lock."""
    name = side.label.rpartition("/")[2]
    return name.endswith((".txt", ".in")) or (name.startswith("pylock.") and name.endswith(".toml"))


def _compared_exports(before: Side, after: Side) -> Compared:
    """Compare Python rows where one side, or both, is an export for another tool."""
    old, new = (
        None if _is_export(side) else parse_lock(side.files[""], place=side.label) for side in (before, after)
    )
    target = old or new
    environment = diff.marker_environment(target) if target else None
    olds = pins_of(old) if old else _read_export(before, environment)
    news = pins_of(new) if new else _read_export(after, environment)
    label = str(target.target) if target else after.label
    return Compared(target=label, before=before.label, after=after.label, changes=compare_pins(olds, news))


def _read_export(side: Side, environment: dict[str, str] | None) -> tuple[ExportedPin, ...]:
    place, data = side.label, side.files[""]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LockError(f"byte {error.start} is not UTF-8", place=place) from None
    if not place.endswith(".toml"):
        return diff.read_requirements(text, environment, place=place)
    return diff.read_pylock(toml.loads(data, place=place, error=LockError), environment, place=place)

"""Consistent edits of a lock, as an attacker makes them: rows, names and digests all agree afterwards."""

from __future__ import annotations

import dataclasses
import random
import tomllib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from builder.errors import LockError
from builder.lockfile import BASE, Build, Lock, OsPackage, PythonPackage, dump_lock, parse_lock
from builder.lockfile.lock import row_key, summary_digest
from builder.model import Evidence, Sha256, Table
from tests.verify.mutations import Mutation

__all__ = ["ATTACKS", "attacks", "repaired"]

_SORTED_SECTIONS = ("images", "sources", "archives", "python", "os_packages")
"""Repositories and builds stand in the order of the recipe."""
Attack = Callable[[Lock, random.Random], Lock]


def attacks(lock: Lock, *, seed: int, count: int) -> Iterator[Mutation]:
    """Yield `count` locks with one consistent edit each, every kind of edit as often as another."""
    dice = random.Random(seed)
    original = dump_lock(lock)
    kinds = sorted(ATTACKS)
    tried = 0
    while count:
        kind = kinds[tried % len(kinds)]
        tried += 1
        try:
            data = dump_lock(_consistent(ATTACKS[kind](lock, dice)))
        except (IndexError, StopIteration):
            continue  # this lock has nothing of that kind
        if data != original:
            count -= 1
            yield Mutation(path=(kind,), how=kind, data=data)


def repaired(mutation: Mutation) -> Mutation:
    """Return the mutation with rows and lists in order and the digest of the recipe recomputed.

    A mutation that is no lock any more stays as it is.
    """
    try:
        lock = parse_lock(mutation.data, place="mutation")
        data = dump_lock(_consistent(lock))
    except (LockError, ValueError, TypeError, tomllib.TOMLDecodeError):
        return mutation
    return dataclasses.replace(mutation, data=data)


def _consistent(lock: Lock) -> Lock:
    sorted_rows: dict[str, Any] = {
        name: tuple(sorted((_sorted_lists(row) for row in getattr(lock, name)), key=row_key))
        for name in _SORTED_SECTIONS
    }
    digest = summary_digest(lock.inputs)
    return dataclasses.replace(lock, **sorted_rows, recipe_digest=digest)


def _sorted_lists(row: Any) -> Any:
    names = [name for name in ("for_", "via", "extras", "inventory", "signed_by") if hasattr(row, name)]
    lists = {name: tuple(sorted(set(getattr(row, name)))) for name in names}
    unsorted = {name: value for name, value in lists.items() if value != getattr(row, name)}
    return dataclasses.replace(row, **unsorted) if unsorted else row


def _digest(dice: random.Random) -> Sha256:
    return Sha256(f"{dice.getrandbits(256):064x}")


def _instead(rows: Sequence[Any], old: Any, *new: Any) -> tuple[Any, ...]:
    return tuple(item for row in rows for item in (new if row is old else (row,)))


def _wheels(lock: Lock) -> list[PythonPackage]:
    return [row for row in lock.python if row.sha256]


def _rebuilt_wheel(row: PythonPackage, dice: random.Random, **changes: Any) -> PythonPackage:
    """Return `row` with other bytes, at the folder that an index would give them."""
    text = f"{dice.getrandbits(256):064x}"
    path = f"{text[:2]}/{text[2:4]}/{text[4:]}" if row.path else ""
    size = (row.size or 0) + dice.randrange(1, 999)
    return dataclasses.replace(row, sha256=_digest(dice), size=size, path=path, **changes)


def _with_python(lock: Lock, old: PythonPackage, *new: PythonPackage) -> Lock:
    return dataclasses.replace(lock, python=_instead(lock.python, old, *new))


def _with_os(lock: Lock, old: OsPackage, *new: OsPackage) -> Lock:
    return dataclasses.replace(lock, os_packages=_instead(lock.os_packages, old, *new))


def _python_added(lock: Lock, dice: random.Random) -> Lock:
    row = dice.choice(_wheels(lock))
    evil = _rebuilt_wheel(
        row,
        dice,
        name="evil-pth",
        version="1.0",
        file="evil_pth-1.0-py3-none-any.whl",
        via=(dice.choice([row.name, "recipe"]),),
        extras=(),
    )
    return _with_python(lock, row, row, evil)


def _python_removed(lock: Lock, dice: random.Random) -> Lock:
    gone = dice.choice(_wheels(lock))
    rows = []
    for row in lock.python:
        if row is not gone:
            via = tuple(name for name in row.via if name != gone.name) or gone.via
            rows.append(dataclasses.replace(row, via=via))
    return dataclasses.replace(lock, python=tuple(rows))


def _python_version(version: str) -> Attack:
    def change(lock: Lock, dice: random.Random) -> Lock:
        row = dice.choice(_wheels(lock))
        file = row.file.replace(f"-{row.version}-", f"-{version}-", 1)
        return _with_python(lock, row, _rebuilt_wheel(row, dice, version=version, file=file))

    return change


def _python_rebuilt(lock: Lock, dice: random.Random) -> Lock:
    row = dice.choice(_wheels(lock))
    return _with_python(lock, row, _rebuilt_wheel(row, dice))


def _python_environment(lock: Lock, dice: random.Random) -> Lock:
    row = dice.choice(_wheels(lock))
    known = sorted({name for one in lock.python for name in one.for_} - {*row.for_})
    return _with_python(lock, row, dataclasses.replace(row, for_=(*row.for_, dice.choice(known))))


def _os_added(lock: Lock, dice: random.Random) -> Lock:
    row = dice.choice(lock.os_packages)
    file = row.file.replace(row.file.rpartition("/")[2], f"evil_1.0_{row.arch}.deb")
    evil = dataclasses.replace(
        row, name="evil", version="1.0", file=file, sha256=_digest(dice), via=(row.name,)
    )
    return _with_os(lock, row, row, evil)


def _os_removed(lock: Lock, dice: random.Random) -> Lock:
    gone = dice.choice(lock.os_packages)
    rows = []
    for row in lock.os_packages:
        if row is not gone:
            via = tuple(name for name in row.via if name != gone.name) or gone.via
            rows.append(dataclasses.replace(row, via=via))
    return dataclasses.replace(lock, os_packages=tuple(rows))


def _os_version(version: str) -> Attack:
    def change(lock: Lock, dice: random.Random) -> Lock:
        row = dice.choice(lock.os_packages)
        plain = row.version.partition(":")[2] or row.version
        file = row.file.replace(f"_{plain}_", f"_{version}_", 1)
        new = dataclasses.replace(row, version=version, file=file, sha256=_digest(dice))
        return _with_os(lock, row, new)

    return change


def _os_rebuilt(lock: Lock, dice: random.Random) -> Lock:
    row = dice.choice(lock.os_packages)
    return _with_os(lock, row, dataclasses.replace(row, sha256=_digest(dice), size=row.size + 1))


def _os_environment(lock: Lock, dice: random.Random) -> Lock:
    row = dice.choice(lock.os_packages)
    known = sorted({name for one in lock.os_packages for name in one.for_} - {*row.for_, BASE})
    return _with_os(lock, row, dataclasses.replace(row, for_=(*row.for_, dice.choice(known))))


def _changed_row(section: str, **makers: Callable[[Any, random.Random], Any]) -> Attack:
    """Return an attack on fields of one row of a section; each maker is told the row."""

    def change(lock: Lock, dice: random.Random) -> Lock:
        rows = getattr(lock, section)
        row = dice.choice(rows)
        new = dataclasses.replace(row, **{name: make(row, dice) for name, make in makers.items()})
        sections: dict[str, Any] = {section: _instead(rows, row, new)}
        return dataclasses.replace(lock, **sections)

    return change


def _changed_build(change: Callable[[Build, random.Random], Build]) -> Attack:
    def changed(lock: Lock, dice: random.Random) -> Lock:
        row = dice.choice([build for build in lock.builds if build.steps])
        return dataclasses.replace(lock, builds=_instead(lock.builds, row, change(row, dice)))

    return changed


def _step_inserted(build: Build, dice: random.Random) -> Build:
    at = dice.randrange(len(build.steps) + 1)
    steps = (*build.steps[:at], ("sh", "-c", "id > /evil"), *build.steps[at:])
    return dataclasses.replace(build, steps=steps)


def _flag_added(build: Build, dice: random.Random) -> Build:
    at = dice.randrange(len(build.steps))
    steps = list(build.steps)
    steps[at] = (*steps[at], "--disable-hardening")
    return dataclasses.replace(build, steps=tuple(steps))


def _step_removed(build: Build, dice: random.Random) -> Build:
    at = dice.randrange(len(build.steps))
    return dataclasses.replace(build, steps=build.steps[:at] + build.steps[at + 1 :])


def _build_variable(build: Build, _: random.Random) -> Build:
    return dataclasses.replace(build, env=Table({**dict(build.env), "LD_PRELOAD": "/evil.so"}))


def _checks_removed(build: Build, _: random.Random) -> Build:
    return dataclasses.replace(build, checks=build.checks[1:])


def _need_removed(lock: Lock, dice: random.Random) -> Lock:
    row = dice.choice([build for build in lock.builds if build.needs])
    gone = dice.choice(row.needs)
    new = dataclasses.replace(row, needs=tuple(name for name in row.needs if name != gone))
    return dataclasses.replace(lock, builds=_instead(lock.builds, row, new))


def _runtime(**makers: Callable[[Any], Any]) -> Attack:
    def change(lock: Lock, _: random.Random) -> Lock:
        new = {name: make(getattr(lock.runtime, name)) for name, make in makers.items()}
        return dataclasses.replace(lock, runtime=dataclasses.replace(lock.runtime, **new))

    return change


def _header(**changes: Any) -> Attack:
    return lambda lock, _: dataclasses.replace(lock, **changes)


def _environment(**changes: Any) -> Attack:
    def change(lock: Lock, _: random.Random) -> Lock:
        return dataclasses.replace(lock, environment=dataclasses.replace(lock.environment, **changes))

    return change


def _input_digest(lock: Lock, dice: random.Random) -> Lock:
    name = dice.choice(sorted(dict(lock.inputs)))
    return dataclasses.replace(
        lock, inputs=Table({**dict(lock.inputs), name: f"{dice.getrandbits(64):016x}"})
    )


def _inventory_shortened(lock: Lock, dice: random.Random) -> Lock:
    row = dice.choice([image for image in lock.images if image.inventory])
    gone = dice.choice(row.inventory)
    new = dataclasses.replace(row, inventory=tuple(line for line in row.inventory if line != gone))
    return dataclasses.replace(lock, images=_instead(lock.images, row, new))


def _published_elsewhere(row: Any, _: random.Random) -> Evidence:
    return Evidence.OBSERVED if row.evidence is Evidence.DECLARED else Evidence.DECLARED


def _publisher(row: Any, _: random.Random) -> str:
    return "" if row.evidence is Evidence.DECLARED else "somebody"


def _other_digest(_: Any, dice: random.Random) -> Sha256:
    return _digest(dice)


ATTACKS: dict[str, Attack] = {
    "row added: python": _python_added,
    "row added: os-packages": _os_added,
    "row removed: python": _python_removed,
    "row removed: os-packages": _os_removed,
    "row downgraded: python": _python_version("0.0.1"),
    "row downgraded: os-packages": _os_version("0.0.1"),
    "row upgraded: python": _python_version("9999.0"),
    "row upgraded: os-packages": _os_version("9999.0"),
    "other bytes: python": _python_rebuilt,
    "other bytes: os-packages": _os_rebuilt,
    "other bytes: sources": _changed_row("sources", sha256=_other_digest),
    "other bytes: archives": _changed_row("archives", sha256=_other_digest),
    "other commit: sources": _changed_row("sources", commit=lambda _, dice: f"{dice.getrandbits(160):040x}"),
    "one more environment: python": _python_environment,
    "one more environment: os-packages": _os_environment,
    "origin: python": _changed_row("python", origin=lambda *_: "elsewhere"),
    "origin: os-packages": _changed_row("os_packages", origin=lambda *_: "elsewhere"),
    "origin: archives": _changed_row("archives", origin=lambda *_: "elsewhere"),
    "origin: repositories": _changed_row("repositories", origin=lambda *_: "elsewhere"),
    "evidence: python": _changed_row("python", evidence=_published_elsewhere, by=_publisher),
    "evidence: sources": _changed_row("sources", evidence=_published_elsewhere),
    "evidence: archives": _changed_row("archives", evidence=_published_elsewhere, by=_publisher),
    "evidence: images": _changed_row("images", evidence=_published_elsewhere, by=_publisher),
    "image: digest": _changed_row(
        "images",
        digest=lambda row, dice: row.digest and f"sha256:{_digest(dice)}",
        tar=lambda row, dice: row.tar and _digest(dice),
    ),
    "image: inventory": _inventory_shortened,
    "repository: date": _changed_row("repositories", date=lambda *_: "2026-01-01T00:00:00Z"),
    "repository: signed by": _changed_row("repositories", signed_by=lambda *_: ("0" * 40,)),
    "repository: index": _changed_row(
        "repositories", indexes=lambda row, dice: (_digest(dice), *row.indexes[1:])
    ),
    "build: step inserted": _changed_build(_step_inserted),
    "build: step removed": _changed_build(_step_removed),
    "build: flag added": _changed_build(_flag_added),
    "build: variable": _changed_build(_build_variable),
    "build: check removed": _changed_build(_checks_removed),
    "build: need removed": _need_removed,
    "build: prefix": _changed_build(lambda build, _: dataclasses.replace(build, prefix="/opt/evil")),
    "runtime: variable": _runtime(env=lambda env: Table({**dict(env), "LD_PRELOAD": "/evil.so"})),
    "runtime: library path": _runtime(library_path=lambda path: ("/opt/evil/lib", *path)),
    "runtime: entrypoint": _runtime(entrypoint=lambda _: ("/bin/sh",)),
    "runtime: check removed": _runtime(checks=lambda checks: checks[1:]),
    "header: date bound": _header(exclude_newer="2026-11-01T00:00:00Z"),
    "header: time of files": _header(source_date_epoch=1),
    "header: resolver": _header(resolver="uv 0.0.1"),
    "header: glibc": _environment(glibc="2.99"),
    "inputs: digest": _input_digest,
}
"""Every kind of edit by its name; one that a lock cannot have (no archives, no inventory) is left out for it."""

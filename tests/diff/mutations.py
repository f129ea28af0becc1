"""Random single-field changes of a lock: every field of every row is a place where one can happen."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from builder.lockfile.lock import Check, Lock, Patch, Submodule
from builder.model.digest import Evidence, GitOid, ImageDigest, Sha256
from builder.model.structuring import Table
from builder.model.text import SourceLine

__all__ = ["Mutation", "mutations", "places"]

SINGLE = ("environment", "runtime", "catalogue")
ROWS = ("images", "repositories", "sources", "archives", "python", "os_packages", "builds")


SUBMODULE = Submodule(
    path="sub", git="https://git.invalid/sub", commit=GitOid("0" * 40), tree=GitOid("1" * 40)
)

PATCH = Patch(file="a/b.patch", sha256=Sha256("0" * 64), lines=(SourceLine("+new"),))


@dataclass(frozen=True)
class Mutation:
    """One change: where, the field before and after, and the changed lock."""

    section: str
    row: Any
    """The row before; None for the header."""
    field: str
    before: Any
    after: Any
    lock: Lock


def places(lock: Lock) -> Iterator[tuple[str, int, str]]:
    """Yield (section, index of the row, field) of every value; rows of no section have the index -1."""
    for field in dataclasses.fields(lock):
        if field.name in ROWS:
            for index, row in enumerate(getattr(lock, field.name)):
                yield from ((field.name, index, item.name) for item in dataclasses.fields(row))
        elif field.name in SINGLE and getattr(lock, field.name) is not None:
            yield from ((field.name, -1, item.name) for item in dataclasses.fields(getattr(lock, field.name)))
        elif field.name not in {"format", "arch", *SINGLE}:
            yield "", -1, field.name


def mutations(lock: Lock, seed: int, count: int) -> Iterator[Mutation]:
    """Yield `count` random changes; each field of each kind of row is changed at least once."""
    chosen = random.Random(seed)
    everywhere = list(places(lock))
    kinds = {(section, field): (section, index, field) for section, index, field in everywhere}
    for section, index, field in [*kinds.values(), *chosen.choices(everywhere, k=count - len(kinds))]:
        owner: Any = lock if not section else getattr(lock, section)
        row: Any = owner[index] if index >= 0 else owner
        before = getattr(row, field)
        after = _other(field, before, chosen)
        changed = _with(row, field, after)
        if index >= 0:
            rows = (*owner[:index], changed, *owner[index + 1 :])
            made = _with(lock, section, rows)
        else:
            made = _with(lock, section, changed) if section else changed
        yield Mutation(section, row if section else None, field, before, after, made)


def _with(row: Any, field: str, value: Any) -> Any:
    return replace(row, **{field: value})


def _other(field: str, value: Any, chosen: random.Random) -> Any:  # noqa: PLR0911 - one return a type
    """Return another value of the same type."""
    match value:
        case Evidence():
            return chosen.choice([item for item in Evidence if item is not value])
        case Sha256() | GitOid():
            return type(value)(_digit(value, chosen))
        case ImageDigest():
            return ImageDigest("sha256:" + _digit(value[7:], chosen))
        case bool():
            return not value
        case int():
            return value + chosen.choice([1, -1, 1000])
        case Table():
            return _table(value, chosen)
        case tuple():
            return _tuple(field, value, chosen)
        case str():
            return _text(value, chosen)
    return {"size": 1, "evidence": Evidence.DECLARED, "sha256": Sha256("0" * 64)}.get(
        field, ImageDigest("sha256:" + "0" * 64) if "digest" in field else Sha256("0" * 64)
    )


def _digit(text: str, chosen: random.Random) -> str:
    at = chosen.randrange(len(text))
    return text[:at] + format((int(text[at], 16) + chosen.randrange(1, 16)) % 16, "x") + text[at + 1 :]


def _text(value: str, chosen: random.Random) -> str:
    if not value:
        return "stated"
    at = chosen.randrange(len(value))
    letter = "x" if value[at] != "x" else "y"
    return chosen.choice([value[:at] + letter + value[at + 1 :], f"{value}1", value[:at] + value[at + 1 :]])


def _table(value: Table, chosen: random.Random) -> Table:
    if not value:
        return Table({"NAME": "value"})
    key, text = chosen.choice(value)
    rest = [pair for pair in value if pair[0] != key]
    return Table(chosen.choice([rest, [*value, ("added", "x")], [*rest, (key, _text(text, chosen))]]))


def _tuple(field: str, value: tuple[Any, ...], chosen: random.Random) -> tuple[Any, ...]:
    at = chosen.randrange(len(value)) if value else 0
    without = (*value[:at], *value[at + 1 :])
    if value and (chosen.random() < 0.3 or dataclasses.is_dataclass(value[0])):
        return without
    if field == "steps":
        return (*without, ("true",))
    if field == "indexes":
        return (*value, Sha256("0" * 64))
    if field in {"checks", "submodules", "patches"}:
        return {"checks": (Check(run=("true",)),), "submodules": (SUBMODULE,), "patches": (PATCH,)}[field]
    added: Any = _text(value[at], chosen) if value else "zz"
    return (*value[:at], added, *value[at + 1 :])

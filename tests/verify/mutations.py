"""Random single changes of a lock: one field, one list element or one row, by seed."""

from __future__ import annotations

import copy
import pickle
import random
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from builder.lockfile.lock import Lock
from builder.lockfile.reading import dump_lock
from builder.model import toml

__all__ = ["Mutation", "mutations"]

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One changed lock: where, how, and its bytes in canonical form."""

    path: Path
    how: str
    data: bytes

    @property
    def field(self) -> str:
        """The path without numbers, such as `python.sha256`; a whole row is `python`."""
        return ".".join(part for part in self.path if isinstance(part, str))


def mutations(lock: Lock, *, seed: int, count: int) -> Iterator[Mutation]:
    """Yield `count` changed locks, all different from `lock`; the same seed gives the same ones.

    A field of each kind is as likely as any other, however many rows there are.
    """
    dice = random.Random(seed)
    original = dump_lock(lock)
    table = tomllib.loads(original.decode())
    packed = pickle.dumps(table)
    places: dict[str, list[Path]] = {}
    for path in _paths(table, ()):
        name = ".".join(part for part in path if isinstance(part, str) and path[0] != "inputs")
        places.setdefault(name, []).append(path)
    while count:
        path = dice.choice(places[dice.choice(sorted(places))])
        changed = pickle.loads(packed)  # three times faster than a deep copy
        how = _change(changed, path, dice)
        data = toml.dumps(changed).encode()
        if data != original:
            count -= 1
            yield Mutation(path=path, how=how, data=data)


def _paths(value: Any, here: Path) -> Iterator[Path]:
    """Yield the place of everything below `value`."""
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, item in inner:
        yield (*here, key)
        yield from _paths(item, (*here, key))


def _change(table: Any, path: Path, dice: random.Random) -> str:
    """Change what is at `path`, in place, and say how."""
    holder = table
    for step in path[:-1]:
        holder = holder[step]
    key = path[-1]
    ways = _WAYS[type(holder[key])] + (_IN_LIST if isinstance(holder, list) else _IN_TABLE)
    return dice.choice(ways)(holder, key, dice)


def _flip(holder: Any, key: Any, dice: random.Random) -> str:
    text = holder[key]
    if not text:
        holder[key] = "x"
        return "filled"
    at = dice.randrange(len(text))
    letters = "0123456789abcdef" if re.fullmatch(r"(sha256:)?[0-9a-f]{16,}", text) else "0123456789abcxyz"
    new = dice.choice(letters.replace(text[at], ""))
    holder[key] = text[:at] + new + text[at + 1 :]
    return f"character {at} is {new!r}"


def _cut(holder: Any, key: Any, _: random.Random) -> str:
    holder[key] = holder[key][:-1]
    return "last character gone"


def _grow(holder: Any, key: Any, dice: random.Random) -> str:
    holder[key] += dice.choice("0a-")
    return "one character more"


def _count(holder: Any, key: Any, dice: random.Random) -> str:
    holder[key] = dice.choice([holder[key] + 1, holder[key] - 1, 0, -holder[key]])
    return "another number"


def _toggle(holder: Any, key: Any, _: random.Random) -> str:
    holder[key] = not holder[key]
    return "the opposite"


def _drop(holder: Any, key: Any, _: random.Random) -> str:
    del holder[key]
    return "gone"


def _twice(holder: Any, key: Any, _: random.Random) -> str:
    holder.insert(key, copy.deepcopy(holder[key]))
    return "there twice"


def _swap(holder: Any, key: Any, dice: random.Random) -> str:
    other = dice.randrange(len(holder))
    holder[key], holder[other] = holder[other], holder[key]
    return f"swapped with {other}"


_Way = Callable[[Any, Any, random.Random], str]
_WAYS: dict[type, tuple[_Way, ...]] = {
    str: (_flip, _flip, _cut, _grow),
    int: (_count,),
    bool: (_toggle,),
    list: (),
    dict: (),
}
_IN_LIST: tuple[_Way, ...] = (_drop, _twice, _swap)
_IN_TABLE: tuple[_Way, ...] = (_drop,)

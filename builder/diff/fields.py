"""The fields of a row before and after, as text. Every field of a row counts: none can be forgotten."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from builder.diff.change import Field
from builder.diff.risk import Risk
from builder.model import Table, key_name

__all__ = ["by_risk", "came", "differing", "reordered", "show", "went"]

_PLAIN = re.compile(r"[^\s,\"'\\]+")


def show(value: Any) -> str:
    """Return a value as one line: nothing for an absent one, different texts for different values."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Table):
        return ", ".join(f"{_shown_word(key)}={_shown_word(item)}" for key, item in value)
    if isinstance(value, tuple):
        return ", ".join(map(_shown_element, value))
    return str(value)


def differing(
    before: Any, after: Any, judge: Callable[[str], Risk], *, without: Collection[str] = ()
) -> tuple[Field, ...]:
    """Return the fields in which two rows of one type differ, the highest risk first.

    `judge` says the risk of a field from its name in the code; `without` are
    the names that are compared elsewhere.
    """
    found = []
    for item in dataclasses.fields(before):
        old, new = getattr(before, item.name), getattr(after, item.name)
        if old != new and item.name not in without:
            found.append(
                Field(key=key_name(item.name), before=show(old), after=show(new), risk=judge(item.name))
            )
    return by_risk(found)


def came(row: Any, risks: Mapping[str, Risk], *, without: Collection[str] = ()) -> tuple[Field, ...]:
    """Return what a new row states; what `risks` does not name is a mere consequence of its being there."""
    return by_risk(
        Field(key=key, before="", after=text, risk=risks.get(name, Risk.CONSEQUENCE))
        for name, key, text in _stated_fields(row, without)
    )


def went(row: Any, identity: str, *, without: Collection[str] = ()) -> tuple[Field, ...]:
    """Return what a removed row stated; the field `identity` carries the removal."""
    return by_risk(
        Field(key=key, before=text, after="", risk=Risk.REMOVED if name == identity else Risk.CONSEQUENCE)
        for name, key, text in _stated_fields(row, without)
    )


def by_risk(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Return fields ordered from the highest risk down, otherwise as they are."""
    return tuple(sorted(fields, key=lambda field: field.risk.rank))


def reordered(key: str, before: tuple[Any, ...], after: tuple[Any, ...]) -> tuple[Field, ...]:
    """Return the one field of rows that are the same in another order."""
    return (Field(key=f"{key}, order", before=show(before), after=show(after), risk=Risk.SETTINGS),)


def _stated_fields(row: Any, without: Collection[str]) -> Iterator[tuple[str, str, str]]:
    for item in dataclasses.fields(row):
        value = getattr(row, item.name)
        if item.name not in without and value not in ("", None, (), False):
            yield item.name, key_name(item.name), show(value)


def _shown_element(value: Any) -> str:
    if dataclasses.is_dataclass(value):
        return _shown_word(" ".join(show(getattr(value, item.name)) for item in dataclasses.fields(value)))
    return (
        json.dumps(show(value), ensure_ascii=False) if isinstance(value, tuple) else _shown_word(str(value))
    )


def _shown_word(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)

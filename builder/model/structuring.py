"""From parsed TOML to frozen values and back, strictly.

* unknown keys, wrong types and malformed values are errors that name the key path
* no primitive is coerced: `"3"` is not a number, `1` is not a text
* every string is one line of printable text (`text.check_line`)
* field names are written in kebab case; a trailing underscore is dropped
* defaults are left out when writing, so that adding a field changes no old lock
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Self, TypeVar

from cattrs import ClassValidationError, Converter, IterableValidationError
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from builder.model.digest import GitOid, ImageDigest, Sha256
from builder.model.text import SourceLine, check_line, check_source_line

__all__ = ["StructureError", "Table", "key_name", "structure", "unstructure"]


class Table(tuple[tuple[str, str], ...]):
    """An immutable mapping of strings to strings, kept sorted by key.

    It is a tuple of pairs, so that it hashes, compares and orders; keys are unique.
    """

    __slots__ = ()

    def __new__(cls, pairs: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> Self:
        """Take a mapping, or pairs whose later ones win."""
        return super().__new__(cls, sorted(dict(pairs).items()))

    def get(self, key: str, default: str = "") -> str:
        """Return the value of `key`, or `default`."""
        return dict(self).get(key, default)

    def merged(self, other: Table) -> Table:
        """Return both tables in one; where both have a key, `other` wins."""
        return Table({**dict(self), **dict(other)})


T = TypeVar("T")

_WORDS = {str: "text", int: "a whole number", bool: "true or false", dict: "a table", list: "a list"}


class StructureError(ValueError):
    """A value that does not fit its type: `path` is the key path, `cause` what is wrong."""

    def __init__(self, path: str, cause: str, hint: str = "") -> None:
        super().__init__(f"{path}: {cause}" if path else cause)
        self.path = path
        self.cause = cause
        self.hint = hint


def key_name(field_name: str) -> str:
    """Return the key under which a field is written."""
    return field_name.rstrip("_").replace("_", "-")


def _described_value(value: object) -> str:
    word = _WORDS.get(type(value), f"a {type(value).__name__}")
    return f"{word} ({value!r})"[:80] if isinstance(value, str | int | bool | float) else word


def _exact_type_hook(kind: type) -> Callable[[Any, Any], Any]:
    def hook(value: object, _: object) -> object:
        if type(value) is not kind:
            raise TypeError(f"expected {_WORDS[kind]}, got {_described_value(value)}")
        return check_line(value) if isinstance(value, str) else value

    return hook


def _checked_text(value: object, kind: type[T]) -> T:
    if type(value) is not str:
        raise TypeError(f"expected text, got {_described_value(value)}")
    return kind(check_line(value))  # type: ignore[call-arg]


def _source_line(value: object, _: object) -> SourceLine:
    if type(value) is not str:
        raise TypeError(f"expected text, got {_described_value(value)}")
    return SourceLine(check_source_line(value))


def _enum_member(value: object, kind: type[StrEnum]) -> StrEnum:
    names = [member.value for member in kind]
    if value not in names:
        raise _unknown_name(value, names)
    return kind(str(value))


def _unknown_name(value: object, names: Sequence[str]) -> ValueError:
    near = difflib.get_close_matches(str(value), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return ValueError(f"expected one of {', '.join(names)}, got {_described_value(value)}{hint}")


def _string_table(value: object, _: object) -> Table:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a table, got {_described_value(value)}")
    text = _exact_type_hook(str)
    for key, item in value.items():
        check_line(key)
        try:
            text(item, str)
        except (TypeError, ValueError) as error:
            raise _LocatedError(f".{_quoted_key(key)}", error) from error
    return Table(value)


def _is_tuple(kind: Any) -> bool:
    return typing.get_origin(kind) is tuple


def _tuple_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    item = typing.get_args(kind)[0]
    inner = converter.get_structure_hook(item)

    def hook(value: object, _: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise TypeError(f"expected a list, got {_described_value(value)}")
        done = []
        for index, element in enumerate(value):
            try:
                done.append(inner(element, item))
            except Exception as error:
                raise _LocatedError(f"[{index}]", error) from error
        return tuple(done)

    return hook


class _LocatedError(Exception):
    """An error somewhere below a list index or a table key."""

    def __init__(self, step: str, error: Exception) -> None:
        super().__init__(step)
        self.step = step
        self.error = error


def _is_mapping(kind: Any) -> bool:
    return typing.get_origin(kind) is Mapping


def _mapping_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    name, item = typing.get_args(kind)
    outer = converter.get_structure_hook(name)
    inner = converter.get_structure_hook(item)

    def hook(value: object, _: object) -> dict[Any, Any]:
        if not isinstance(value, Mapping):
            raise TypeError(f"expected a table, got {_described_value(value)}")
        done = {}
        for key in sorted(value):
            try:
                done[outer(key, name)] = inner(value[key], item)
            except Exception as error:
                raise _LocatedError(f".{_quoted_key(key)}", error) from error
        return done

    return hook


def _quoted_key(key: str) -> str:
    shown = key if key.isprintable() else ascii(key)[1:-1]
    return shown if re.fullmatch(r"[A-Za-z0-9_-]+", shown) else f'"{shown}"'


def _is_literal(kind: Any) -> bool:
    return typing.get_origin(kind) is typing.Literal


def _literal_value(value: object, kind: Any) -> object:
    allowed = typing.get_args(kind)
    if value not in allowed or type(value) is not type(allowed[0]):
        if isinstance(allowed[0], str):
            raise _unknown_name(value, allowed)
        raise ValueError(f"expected {' or '.join(map(repr, allowed))}, got {_described_value(value)}")
    return value


def _is_optional(kind: Any) -> bool:
    return isinstance(kind, types.UnionType) and type(None) in typing.get_args(kind)


def _optional_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    (item,) = (arg for arg in typing.get_args(kind) if arg is not type(None))
    inner = converter.get_structure_hook(item)
    return lambda value, _: inner(value, item)


def _dataclass_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    overrides = {f.name: override(rename=key_name(f.name)) for f in dataclasses.fields(kind)}
    inner = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True, **overrides)  # type: ignore[arg-type]

    def hook(value: object, _: object) -> object:
        if not isinstance(value, Mapping):
            raise TypeError(f"expected a table, got {_described_value(value)}")
        return inner(value, kind)

    return hook


def _dataclass_out(kind: Any, converter: Converter) -> Callable[[Any], dict[str, Any]]:
    overrides = {f.name: override(rename=key_name(f.name)) for f in dataclasses.fields(kind)}
    return make_dict_unstructure_fn(kind, converter, _cattrs_omit_if_default=True, **overrides)  # type: ignore[arg-type]


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    for kind in (str, int, bool):
        converter.register_structure_hook(kind, _exact_type_hook(kind))
    for word in (Sha256, GitOid, ImageDigest):
        converter.register_structure_hook(word, _checked_text)
        converter.register_unstructure_hook(word, str)
    converter.register_structure_hook(SourceLine, _source_line)
    converter.register_unstructure_hook(SourceLine, str)
    converter.register_structure_hook(StrEnum, _enum_member)
    converter.register_structure_hook(Table, _string_table)
    converter.register_unstructure_hook(Table, dict)
    converter.register_structure_hook_func(_is_literal, _literal_value)
    converter.register_structure_hook_factory(_is_tuple, _tuple_hook)
    converter.register_structure_hook_factory(_is_mapping, _mapping_hook)
    converter.register_structure_hook_factory(_is_optional, _optional_hook)
    converter.register_structure_hook_factory(dataclasses.is_dataclass, _dataclass_hook)
    converter.register_unstructure_hook_factory(dataclasses.is_dataclass, _dataclass_out)
    converter.register_unstructure_hook_factory(
        _is_tuple, lambda _, conv: lambda value: [conv.unstructure(item) for item in value]
    )
    converter.register_unstructure_hook_factory(
        _is_mapping, lambda _, conv: lambda value: {str(k): conv.unstructure(v) for k, v in value.items()}
    )
    return converter


_CONVERTER = _make_converter()


def _key_path(step: str, kind: type) -> str:
    names = {f.name: key_name(f.name) for f in dataclasses.fields(kind)}
    return f".{names.get(step, step)}"


def _first_fault(error: BaseException, path: str) -> StructureError:  # noqa: PLR0911 - one return a kind of error
    """Turn the first error of a tree into one that names its key path."""
    if isinstance(error, _LocatedError):
        return _first_fault(error.error, path + error.step)
    if isinstance(error, ClassValidationError):
        located, bare = error.group_exceptions()
        extra = [item for item in bare if isinstance(item, ForbiddenExtraKeysError)]
        if extra:
            return _unknown_key(extra[0], path)
        if located:
            inner, note = located[0]
            return _first_fault(inner, path + _key_path(note.name, error.cl))
        return _first_fault(bare[0], path)
    if isinstance(error, IterableValidationError):
        return _first_fault(error.exceptions[0], path)
    if isinstance(error, KeyError):
        return StructureError(path, "this key is missing")
    return StructureError(path, str(error))


def _unknown_key(error: ForbiddenExtraKeysError, path: str) -> StructureError:
    known = sorted(key_name(f.name) for f in dataclasses.fields(error.cl))
    name = min(error.extra_fields)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"
    return StructureError(f"{path}.{_quoted_key(name)}", "unknown key", hint)


def structure(data: object, kind: type[T]) -> T:
    """Return `data` as a `kind`; WireError names the first key path that does not fit."""
    try:
        return _CONVERTER.structure(data, kind)
    except (ClassValidationError, IterableValidationError, _LocatedError, TypeError, ValueError) as error:
        found = _first_fault(error, "")
        raise StructureError(found.path.lstrip("."), found.cause, found.hint) from None


def unstructure(value: object) -> Any:
    """Return `value` as plain tables, lists, texts and numbers, in field order."""
    return _CONVERTER.unstructure(value)

"""Documents generated from recipes: the JSON Schema, the reference page, the page of upstream publications.

Schema and reference come from the same walk over the dataclasses, so that editors,
readers and the program agree. What a field is for is the text below it in the source.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from typing import Any

from builder.model import GitOid, ImageDigest, Sha256, Table, key_name
from builder.recipe.component import Component
from builder.recipe.framework import Framework
from builder.recipe.platform import Platform
from builder.recipe.release import PublishedArtifact, PublishedArtifactKind, Release

__all__ = ["KINDS", "published_page", "recipe_schema", "reference_page"]

KINDS: Mapping[str, type] = {
    "components": Component,
    "frameworks": Framework,
    "platforms": Platform,
    "releases": Release,
}
"""Folder of recipes to what stands in it."""

_VALUE_SCHEMAS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    Sha256: {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    GitOid: {"type": "string", "pattern": "^[0-9a-f]{40}$"},
    ImageDigest: {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
    Table: {"type": "object", "additionalProperties": {"type": "string"}},
}
_VALUE_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    bool: "true or false",
    Sha256: "64 hexadecimal digits",
    GitOid: "40 hexadecimal digits",
    ImageDigest: "`sha256:` and 64 hexadecimal digits",
    Table: "table of texts",
}

_PUBLISHED_HEAD = """\
# What does each release publish itself?

Generated from `recipes/releases` by `scripts/maintenance/generate`; do not edit.
Locks do not use images, charts and crates; they are listed so that you can compare them with what you deploy.
Each digest has its evidence; a missing digest has its reason instead.
"""

_TRAP = re.compile(r"\btrap (T[0-9]+)\b")


def recipe_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every recipe file satisfies."""
    definitions = {kind.__name__: _object_schema(kind) for kind in _reachable_types()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lockwright recipe",
        "oneOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in KINDS.values()],
        "$defs": dict(sorted(definitions.items())),
    }


def reference_page() -> str:
    """Return the reference of all recipe keys as markdown."""
    lines = [
        "# Recipe reference",
        "",
        "Generated from the dataclasses of `builder/recipe` by `scripts/maintenance/generate`; do not edit.",
        "Unknown keys, wrong types and malformed values are errors that name file and key.",
        "Every text is one line of printable characters.",
    ]
    roots = {kind: folder for folder, kind in KINDS.items()}
    for kind in _reachable_types():
        title = f"`recipes/{roots[kind]}/NAME.toml`" if kind in roots else f"{kind.__name__}"
        lines += [
            "",
            f"## {title}",
            "",
            _with_trap_links(_type_summary(kind)),
            "",
            "| key | value | |",
            "|---|---|---|",
        ]
        lines += [_reference_row(kind, field) for field in dataclasses.fields(kind)]
    return "\n".join(lines) + "\n"


def _reference_row(kind: type, field: dataclasses.Field[Any]) -> str:
    need = "**required**. " if _is_required(field) else ""
    text = f"{need}{_with_trap_links(_field_notes(kind).get(field.name, ''))}".strip()
    return f"| `{key_name(field.name)}` | {_value_in_words(_field_types(kind)[field.name])} | {text} |"


def _with_trap_links(text: str) -> str:
    """Return `text` with each "trap T3" linked to the page that defines it."""
    return _TRAP.sub(lambda found: f"trap [{found[1]}](traps.md#{found[1].lower()})", text)


@cache
def _reachable_types() -> tuple[type, ...]:
    """Return the four kinds of file and every dataclass below them, in order of first use."""
    found: dict[type, None] = {}
    waiting: list[Any] = list(KINDS.values())
    while waiting:
        kind = waiting.pop(0)
        if dataclasses.is_dataclass(kind) and isinstance(kind, type) and kind not in found:
            found[kind] = None
            waiting += [part for hint in _field_types(kind).values() for part in _nested_hints(hint)]
    return tuple(found)


def _nested_hints(hint: Any) -> Iterator[Any]:
    yield hint
    for argument in typing.get_args(hint):
        yield from _nested_hints(argument)


@cache
def _field_types(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@cache
def _field_notes(kind: type) -> dict[str, str]:
    """Return the text below each field of `kind` in its source."""
    tree = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(tree, ast.ClassDef)  # noqa: S101 - the source of a class is a class
    found = {}
    for before, node in zip(tree.body, tree.body[1:], strict=False):
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name):
            found[before.target.id] = " ".join(str(node.value.value).split())
    return found


def _type_summary(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _object_schema(kind: type) -> dict[str, Any]:
    properties = {}
    for field in dataclasses.fields(kind):
        note = _field_notes(kind).get(field.name)
        described = {"description": note} if note else {}
        properties[key_name(field.name)] = _value_schema(_field_types(kind)[field.name]) | described
    required = [key_name(field.name) for field in dataclasses.fields(kind) if _is_required(field)]
    if kind is Platform:
        # A platform may inherit everything but its name from the one it extends.
        required = ["name", "summary"]
    return {
        "type": "object",
        "description": _type_summary(kind),
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _value_schema(hint: Any) -> dict[str, Any]:
    if hint in _VALUE_SCHEMAS:
        return dict(_VALUE_SCHEMAS[hint])
    if isinstance(hint, types.UnionType):
        (inner,) = (part for part in typing.get_args(hint) if part is not type(None))
        return _value_schema(inner)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {"enum": [member.value for member in hint]}
    if typing.get_origin(hint) is tuple:
        return {"type": "array", "items": _value_schema(typing.get_args(hint)[0])}
    if typing.get_origin(hint) is Mapping:
        return {"type": "object", "additionalProperties": _value_schema(typing.get_args(hint)[1])}
    return {"$ref": f"#/$defs/{hint.__name__}"}


def _value_in_words(hint: Any) -> str:
    if hint in _VALUE_WORDS:
        return _VALUE_WORDS[hint]
    if isinstance(hint, types.UnionType):
        return _value_in_words(typing.get_args(hint)[0])
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return " or ".join(f"`{member.value}`" for member in hint)
    if typing.get_origin(hint) is tuple:
        return f"list of: {_value_in_words(typing.get_args(hint)[0])}"
    if typing.get_origin(hint) is Mapping:
        return f"table of: {_value_in_words(typing.get_args(hint)[1])}"
    return f"[{hint.__name__}](#{hint.__name__.lower()})"


def published_page(releases: Iterable[Release]) -> str:
    """Return the page as markdown: newest release first, by kind and name."""
    ordered = sorted(releases, key=lambda release: release.date, reverse=True)
    return "\n".join([_PUBLISHED_HEAD, *(line for release in ordered for line in _release_section(release))])


def _release_section(release: Release) -> Iterator[str]:
    yield f"## {release.version}\n"
    yield "| kind | name | sha256 | evidence |\n|---|---|---|---|"
    kinds = list(PublishedArtifactKind)
    rows = sorted(release.published, key=lambda row: (kinds.index(PublishedArtifactKind(row.kind)), row.name))
    yield from map(_published_row, rows)
    yield ""


def _published_row(row: PublishedArtifact) -> str:
    if row.sha256 is None:
        return f"| {row.kind} | `{row.name}` | absent: {row.absent} | |"
    evidence = f"{row.evidence}, {row.by}" if row.by else f"{row.evidence}"
    return f"| {row.kind} | `{row.name}` | `{row.sha256}` | {evidence} |"

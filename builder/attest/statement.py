"""Rebuild statements: in-toto statements that a lock, built by somebody, gave an image of one digest. Pure.

The subject is the image's digest. The predicate says of which locks, by which engine, under which
conditions, and what the layers are, so that a disagreement can be told layer by layer. A statement
says nothing of its time: nobody could trust it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from builder.errors import UsageError
from builder.json_text import parse_json

__all__ = ["LARGEST_STATEMENT", "PREDICATE_TYPE", "BuiltPlatform", "RebuildStatement", "dump_statement"]
__all__ += ["parse_statement"]

LARGEST_STATEMENT = 2**20
"""Bytes; a larger file is refused."""
PREDICATE_TYPE = "urn:lockwright:rebuild:1"
_STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPlatform:
    """One image of one platform, as it came out."""

    platform: str
    digest: str
    """Of its manifest."""
    layers: tuple[str, ...]
    """Digests of its layers, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildStatement:
    """What somebody says they built."""

    name: str
    digest: str
    """Of the image: its only manifest, or its index."""
    locks: tuple[tuple[str, str], ...]
    """Paths of the locks, each with its digest."""
    engine: tuple[tuple[str, str], ...]
    """Names and versions; empty if images were compared that existed already."""
    conditions: tuple[str, ...]
    """What differed between the builds."""
    passed: tuple[str, ...]
    """Checks that passed."""
    platforms: tuple[BuiltPlatform, ...]


def dump_statement(statement: RebuildStatement) -> bytes:
    """Return the bytes that are signed: JSON with sorted keys and one final newline."""
    value = {
        "_type": _STATEMENT_TYPE,
        "subject": [{"name": statement.name, "digest": {"sha256": statement.digest.removeprefix("sha256:")}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "locks": dict(statement.locks),
            "engine": dict(statement.engine),
            "conditions": list(statement.conditions),
            "passed": list(statement.passed),
            "platforms": {
                one.platform: {"manifest": one.digest, "layers": list(one.layers)}
                for one in statement.platforms
            },
        },
    }
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def parse_statement(data: bytes, *, place: str) -> RebuildStatement:
    """Read a statement (UsageError for anything that is not one of this form)."""
    if len(data) > LARGEST_STATEMENT:
        raise UsageError(f"is larger than {LARGEST_STATEMENT} bytes", place=place)
    try:
        value = parse_json(data)
        statement = _statement_of(value)
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise UsageError("is not a rebuild statement of this form", place=place) from cause
    if dump_statement(statement) != data:
        raise UsageError("has keys or a form that a rebuild statement does not have", place=place)
    return statement


def _statement_of(value: Any) -> RebuildStatement:
    (subject,) = value["subject"]
    predicate = value["predicate"]
    if value["_type"] != _STATEMENT_TYPE or value["predicateType"] != PREDICATE_TYPE:
        raise ValueError("another kind of statement")
    return RebuildStatement(
        name=_checked_text(subject["name"]),
        digest=_checked_digest(f"sha256:{subject['digest']['sha256']}"),
        locks=tuple(
            (_checked_text(path), _checked_digest(digest))
            for path, digest in _sorted_items(predicate["locks"])
        ),
        engine=tuple(
            (_checked_text(name), _checked_text(version))
            for name, version in _sorted_items(predicate["engine"])
        ),
        conditions=tuple(map(_checked_text, predicate["conditions"])),
        passed=tuple(map(_checked_text, predicate["passed"])),
        platforms=tuple(
            BuiltPlatform(
                platform=_checked_text(platform),
                digest=_checked_digest(one["manifest"]),
                layers=tuple(map(_checked_digest, one["layers"])),
            )
            for platform, one in _sorted_items(predicate["platforms"])
        ),
    )


def _sorted_items(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted(value.items())


def _checked_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode()  # half a surrogate pair, which JSON may hold, is a ValueError
    return value


def _checked_digest(value: object) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise ValueError("not a digest")
    return value

"""What a lock was made from, as short digests by key path: stale locks are known without network. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from builder.lockfile import FORMAT
from builder.model import Sha256, Table, unstructure
from builder.recipe.effective_recipe import Effective

__all__ = ["changed_keys", "fingerprint"]

RULES = 2
"""Raised whenever the resolver's rules change what the same recipe resolves to."""

_DIGITS = 16
_RELEASE_KEYS = ("version", "date", "exclude-newer")
_LEFT_OUT = (
    "accelerated-hint",
    "default",
    "evidence",
    "homepage",
    "pythons",
    "refused",
    "status",
    "summary",
    "targets",
    "variants",
)


def fingerprint(recipe: Effective) -> Table:
    """Return the key paths of the effective recipe with the first 16 digits of each value's digest."""
    release = unstructure(recipe.release)
    framework = unstructure(recipe.framework)
    platform = unstructure(recipe.platform)
    arch = recipe.target.arch
    for key in ("images", "assembled"):
        platform[key] = platform.get(key, {}).get(arch)
    tree: dict[str, Any] = {
        "rules": {"format": FORMAT, "resolver": RULES},
        "release": {key: release.get(key) for key in _RELEASE_KEYS},
        "platform": platform,
        "framework": framework,
        "component": {part.name: unstructure(part) for part in recipe.parts},
        "published": {name: version for name, version, _ in recipe.published},
        "python": {"roots": list(recipe.roots), "pins": list(recipe.constraints)},
    }
    return Table(_leaves("", tree, depth=3))


def _leaves(path: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and depth:
        for key, item in value.items():
            if key not in _LEFT_OUT and item not in (None, [], {}, ""):
                yield from _leaves(f"{path}.{key}" if path else key, item, depth - 1)
        return
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    yield path, Sha256.of(text.encode())[:_DIGITS]


def changed_keys(old: Table, new: Table) -> tuple[str, ...]:
    """Return the key paths that differ, are new, or are gone, sorted."""
    before, after = dict(old), dict(new)
    return tuple(sorted(key for key in before | after if before.get(key) != after.get(key)))

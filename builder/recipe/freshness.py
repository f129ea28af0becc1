"""Freshness: short digests of what a lock was made from, and which of them changed. Pure.

A fingerprint is a table from key path to the first 16 hexadecimal digits (64 bits) of the
SHA-256 of the value's canonical JSON. It is taken of the effective recipe, not of the files,
so that a comment, another framework's pins or a variant that does not apply change nothing.
Paths go three levels deep (`component.ucx.steps`): deep enough to name what changed, and few
enough to stand in a lock. The digests only tell values apart; the lock's `recipe-digest` is
the full SHA-256 of the whole table.

What each part covers:

* `rules`: the lock format, and `RULES` of the resolver; raising either makes every lock stale
* `release`: version, date and date bound; its bill of versions counts through what follows
* `platform`: its keys, of images and assembled bases those of the target's architecture only
* `framework`: its keys after its variants
* `component`: each built part, placeholders filled and its source's pins included
* `published`: names and versions of components that come as wheels
* `python`: the exact roots and the constraints
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from builder.lockfile import FORMAT
from builder.model import Sha256, Table, unstructure
from builder.recipe.effective import EffectiveRecipe

__all__ = ["changed_keys", "fingerprint"]

RULES = 2
"""Raised whenever the resolver's rules change what the same recipe resolves to."""

_DIGEST_DIGITS = 16
_RELEASE_KEYS = ("version", "date", "exclude-newer")
# Words for people, and what only decides which targets there are: none of these changes what is locked.
_KEYS_LEFT_OUT = (
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


def fingerprint(recipe: EffectiveRecipe) -> Table:
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
    return Table(_leaf_digests("", tree, depth=3))


def _leaf_digests(path: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and depth:
        for key, item in value.items():
            if key not in _KEYS_LEFT_OUT and item not in (None, [], {}, ""):
                yield from _leaf_digests(f"{path}.{key}" if path else key, item, depth - 1)
        return
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    yield path, Sha256.of(text.encode())[:_DIGEST_DIGITS]


def changed_keys(old: Table, new: Table) -> tuple[str, ...]:
    """Return the key paths that differ, are new, or are gone, sorted."""
    before, after = dict(old), dict(new)
    return tuple(sorted(key for key in before | after if before.get(key) != after.get(key)))

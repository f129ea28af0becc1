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
* `catalogue`: of a project that uses the package's catalogue, each file that it used: a digest of what
  was taken from it, not of its text (see `catalogue_use`)
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from builder.lockfile import FORMAT, catalogue_key
from builder.model import ObjectMemo, Sha256, Table, unstructure
from builder.recipe.catalogue_use import NEVER_LOCKED
from builder.recipe.effective import EffectiveComponent, EffectiveRecipe
from builder.recipe.platform import Platform

__all__ = ["changed_keys", "fingerprint"]

RULES = 2
"""Raised whenever the resolver's rules change what the same recipe resolves to."""

_DIGEST_DIGITS = 16


def fingerprint(recipe: EffectiveRecipe) -> Table:
    """Return the key paths of the effective recipe with the first 16 digits of each value's digest."""
    return _FINGERPRINTS.get(recipe, compute=_recipe_digests)


_FINGERPRINTS: ObjectMemo[EffectiveRecipe, Table] = ObjectMemo(limit=16)
_PLATFORMS: ObjectMemo[Platform, tuple[tuple[str, str], ...]] = ObjectMemo(limit=256)


def _recipe_digests(recipe: EffectiveRecipe) -> Table:
    digests = {path: _text_digest(text) for path, text in _input_texts(recipe)}
    digests |= {catalogue_key(file.path): file.sha256 for file in recipe.catalogue}
    return Table({path: digest[:_DIGEST_DIGITS] for path, digest in digests.items()})


@lru_cache(maxsize=16_384)
def _text_digest(text: str) -> Sha256:
    return Sha256.of(text.encode())


def _input_texts(recipe: EffectiveRecipe) -> Iterator[tuple[str, str]]:
    # Targets share their platform and most parts, and a release holds far more than the keys that count.
    yield from _PLATFORMS.get(recipe.platform, recipe.target.arch, compute=_platform_texts)
    for part in recipe.parts:
        yield from _component_texts(part)
    release = recipe.release
    tree: dict[str, Any] = {
        "rules": {"format": FORMAT, "resolver": RULES},
        "release": {
            "version": release.version,
            "date": release.date,
            "exclude-newer": release.exclude_newer,
        },
        "framework": unstructure(dataclasses.replace(recipe.framework, variants=(), refused=())),
        "published": {name: version for name, version, _ in recipe.published},
        "python": {"roots": list(recipe.roots), "pins": list(recipe.constraints)},
    }
    yield from _leaf_texts("", tree, depth=3)


def _platform_texts(platform: Platform, arch: str) -> tuple[tuple[str, str], ...]:
    table = unstructure(platform)
    for key in ("images", "assembled"):
        table[key] = table.get(key, {}).get(arch)
    return tuple(_leaf_texts("", {"platform": table}, depth=3))


@lru_cache(maxsize=4096)
def _component_texts(part: EffectiveComponent) -> tuple[tuple[str, str], ...]:
    return tuple(_leaf_texts("", {"component": {part.name: unstructure(part)}}, depth=3))


def _leaf_texts(path: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and depth:
        for key, item in value.items():
            if key not in NEVER_LOCKED and item not in (None, [], {}, ""):
                yield from _leaf_texts(f"{path}.{key}" if path else key, item, depth - 1)
        return
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    yield path, text


def changed_keys(old: Table, new: Table) -> tuple[str, ...]:
    """Return the key paths that differ, are new, or are gone, sorted."""
    before, after = dict(old), dict(new)
    return tuple(sorted(key for key in before | after if before.get(key) != after.get(key)))

"""Each value of each recipe that reaches a lock, changed one at a time: `lock --check` notices it.

The recipes of real targets are walked leaf by leaf. A leaf that cannot reach the target's lock (another
version, another architecture, a variant that does not hold) is left out by its place; every other one is
noticed, or its key is listed in `WITHOUT_EFFECT`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from builder.errors import BuilderError
from builder.lockfile.lock import Lock
from builder.lockfile.reading import load_lock
from builder.model.structuring import structure
from builder.model.target import Target
from builder.recipe.agreement import recipe_faults
from builder.recipe.build_systems import build_steps
from builder.recipe.component import Component, TargetConditions
from builder.recipe.effective import EffectiveRecipe, effective_recipe
from builder.recipe.framework import Framework
from builder.recipe.library import Library, check_library
from builder.recipe.platform import Platform
from builder.recipe.reading import inherited_tables, parse_recipe, parse_table
from builder.recipe.release import Release
from builder.recipe.target_components import TargetRecipes, applying_variants
from tests.recipe.samples import ROOT, folder_files

Path = tuple[str | int, ...]

TARGETS = (
    "1.4.2/debian-13/dynamo-x86_64",
    "1.4.2/debian-13-cuda-13.0-python-3.12/vllm-aarch64",
    "0.8.0/debian-12-assembled/dynamo-x86_64",
    "0.6.1/debian-12/vllm-x86_64",
    "1.4.2/debian-13-cuda-13.1/fabric-aarch64",
    "1.4.2/debian-13-cuda-13.1/efa-x86_64",
    "1.4.2/debian-13-cuda-13.0-python-3.12/experts-x86_64",
    "1.4.2/debian-13-assembled/storage-aarch64",
    "0.7.0/debian-13-assembled/services-x86_64",
    "0.7.0/debian-13-assembled/toolchain-x86_64",
    "0.7.1/debian-12-python-3.12/sglang-x86_64",
)

WITHOUT_EFFECT = {
    "component": {
        "summary": "words for people",
        "homepage": "words for people",
        "versions.reason": "why a version is published",
        "device-code.reason": "words for people",
        "variants.when": "decides whether the variant holds: noticed where that changes",
        "versions.source-when": "decides whether the source is used: noticed where that changes",
        "versions.archives.arches": "decides whether the archive is used: noticed where that changes",
    },
    "framework": {
        "summary": "words for people",
        "accelerated-hint": "words for people",
        "pythons": "decides which targets there are: noticed where that changes",
        "refused": "decides which targets there are",
        "variants.reason": "words for people",
        "variants.when": "decides whether the variant holds: noticed where that changes",
    },
    "platform": {
        "summary": "words for people",
        "status": "words for people",
        "extends": "its keys count, not its name",
    },
    "release": {
        "default": "decides which targets a bare command means",
        "targets": "decides which targets there are",
        "refused": "decides which targets there are",
        "published": "what upstream published; no lock is made from it",
        "evidence": "where each claim comes from, for people",
    },
}
"""Keys of recipes whose values change no lock, and why. docs/locking.md has the same list."""


def leaves(value: Any, here: Path = ()) -> Iterator[Path]:
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inner:
        if isinstance(item, dict | list):
            yield from leaves(item, (*here, key))
        else:
            yield (*here, key)


def changed(value: Any) -> Any:
    """Return another value that is as sensible as `value` was."""
    if not isinstance(value, str):
        return not value if isinstance(value, bool) else value + 1
    others = {"x86_64": "aarch64", "aarch64": "x86_64", "observed": "index", "index": "observed"}
    others |= {"build": "runtime", "runtime": "build", "meson": "cmake", "cmake": "make", "autotools": "make"}
    others |= {"make": "cmake", "python-wheel": "make", "prebuilt": "make"}
    if value in others:
        return others[value]
    if re.fullmatch(r"(sha256:)?[0-9a-f]{40,64}", value):
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    if moment := re.fullmatch(r"(\d{4}-\d\d-)(\d\d)(T.*Z)?", value):
        return f"{moment[1]}{int(moment[2]) % 27 + 1:02}{moment[3] or ''}"
    return f"{value}1" if re.search(r"\d$", value) else f"{value}x"


def with_leaf(table: dict[str, Any], path: Path, *, remove: bool) -> dict[str, Any]:
    result = copy.deepcopy(table)
    holder: Any = result
    for step in path[:-1]:
        holder = holder[step]
    if remove:
        del holder[path[-1]]
    else:
        holder[path[-1]] = changed(holder[path[-1]])
    return result


class Recipes:
    """The recipes of one target as plain tables, and what reaches its lock of them."""

    def __init__(self, library: Library, name: str) -> None:
        target = Target.of_path(f"{name}.toml")
        assert target is not None
        self.library, self.target = library, target
        files = folder_files(ROOT / "recipes")
        tables = {
            path: parse_table(data, place=path)
            for path, data in files.items()
            if re.fullmatch(r"(components|frameworks|platforms|releases)/.*\.toml", path)
        }
        tables |= {path: dict(table) for path, table in inherited_tables(tables, "platforms").items()}
        self.tables = tables
        self.recipe: EffectiveRecipe = effective_recipe(library, target)
        self.used = {part.name for part in self.recipe.parts} | {name for name, *_ in self.recipe.published}
        self.deciding = TargetRecipes(
            library=library,
            release=library.release(target.release),
            platform=library.platform(target.platform),
            target=target,
        )

    def pieces(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield kind, name and table of each recipe that the lock is made from."""
        yield "release", self.target.release, self.tables[f"releases/{self.target.release}.toml"]
        yield "platform", self.target.platform, self.tables[f"platforms/{self.target.platform}.toml"]
        yield "framework", self.target.framework, self.tables[f"frameworks/{self.target.framework}.toml"]
        for part in self.recipe.parts:
            yield "component", part.name, self.tables[f"components/{part.name}.toml"]

    def reaches(self, kind: str, name: str, path: Path, table: dict[str, Any]) -> bool:
        """Say whether a leaf is at a place that counts for the target at all."""
        words = tuple(part for part in path if isinstance(part, str))
        if kind == "release":
            return self._release_key_counts(words)
        if kind == "platform":
            arch = {str(self.target.arch)}
            known = {"images": arch, "assembled": arch, "versions": self.used}
            return words[0] not in known or words[1] in known[words[0]]
        version = self.deciding.release.version
        if kind == "component":
            version = next(part.version for part in self.recipe.parts if part.name == name)
            if words[-1] == "flags" and not self._flags_count(name):
                return False
        if words[0] == "versions":
            return words[1] == version and self._archive_counts(table, path)
        if words[0] == "variants":
            when = structure(table["variants"][path[1]]["when"], TargetConditions)
            return self.deciding.holds(when, version) and self._family_counts(words[1:])
        return self._family_counts(words)

    def _flags_count(self, name: str) -> bool:
        """Say whether any step takes flags: a variant may replace those that do."""
        component = self.library.components[name]
        flagged = replace(component, flags=(*component.flags, "--marker"))
        variants = applying_variants(self.deciding, component)
        return build_steps(flagged, variants) != build_steps(component, variants)

    def _family_counts(self, words: tuple[str, ...]) -> bool:
        return words[0] != "packages" or words[1] == self.deciding.platform.family

    def _release_key_counts(self, words: tuple[str, ...]) -> bool:
        release, framework = self.deciding.release, self.target.framework
        if words[0] == "components":
            own = dict(release.framework_components.get(framework, ()))
            return words[1] in self.used - own.keys() - dict(self.deciding.platform.versions).keys()
        if words[0] == "framework-components":
            return words[1] == framework and words[2] in self.used
        if words[0] == "python" and words[1] == "all":
            return words[2] not in dict(release.python.get(framework, ()))
        return words[0] != "python" or words[1] in {framework, "installer"}

    def _archive_counts(self, table: dict[str, Any], path: Path) -> bool:
        if path[2] != "archives":
            return True
        arches = table["versions"][path[1]]["archives"][path[3]].get("arches", ())
        return not arches or self.target.arch in arches

    def changed_library(self, kind: str, name: str, table: dict[str, Any]) -> Library:
        library, place = self.library, f"recipes/{kind}s/{name}.toml"
        if kind == "component":
            part = parse_recipe(table, Component, place=place)
            return replace(library, components={**library.components, name: part})
        if kind == "framework":
            framework = parse_recipe(table, Framework, place=place)
            return replace(library, frameworks={**library.frameworks, name: framework})
        if kind == "platform":
            platform = parse_recipe(table, Platform, place=place)
            return replace(library, platforms={**library.platforms, name: platform})
        release = parse_recipe(table, Release, place=place)
        return replace(library, releases={**library.releases, name: release})


def noticed(recipes: Recipes, lock: Lock, kind: str, name: str, table: dict[str, Any]) -> bool:
    try:
        library = recipes.changed_library(kind, name, table)
        if library == recipes.library:
            return True  # what was removed said the same as its absence
        if any(recipe_faults(effective_recipe(library, recipes.target), lock)):
            return True
        check_library(library)
    except BuilderError:
        return True
    return False


@pytest.mark.parametrize("name", TARGETS)
def test_every_value_that_reaches_a_lock_is_noticed(name: str, library: Library) -> None:
    recipes = Recipes(library, name)
    lock = load_lock((ROOT / f"lock/{name}.toml").read_bytes(), place=name)
    assert not any(recipe_faults(recipes.recipe, lock))
    unseen, tried = set(), 0
    for kind, piece, table in recipes.pieces():
        for path in leaves(table):
            key = ".".join(part for part in path if isinstance(part, str))
            if kind == "component" and path[0] == "versions":
                key = ".".join(("versions", *(part for part in path[2:] if isinstance(part, str))))
            if any(f"{key}.".startswith(f"{free}.") for free in WITHOUT_EFFECT[kind]):
                continue
            if not recipes.reaches(kind, piece, path, table):
                continue
            for remove in (False, True):
                tried += 1
                if not noticed(recipes, lock, kind, piece, with_leaf(table, path, remove=remove)):
                    unseen.add(f"{kind} {piece}: {key}{' removed' if remove else ''}")
    assert tried > 150
    assert sorted(unseen) == []

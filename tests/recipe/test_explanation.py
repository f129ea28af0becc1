"""The explanation of a target: nothing effective is missing from it, and each place is where a value is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from builder.errors import UsageError
from builder.model import Target, toml, unstructure
from builder.recipe.catalogue import RecipeCatalogue
from builder.recipe.effective import EffectiveRecipe, effective_recipe
from builder.recipe.explanation import (
    RECIPE_KINDS,
    ExplainedValue,
    explain_recipe,
    explain_target,
    recipe_kinds,
)
from builder.recipe.library import Library
from builder.recipe.reading import read_library
from builder.recipe.targets import lockable_targets
from builder.selection import ALL, Selection
from tests.recipe.samples import ROOT, SMALL, folder_files

TEXTS = folder_files(ROOT / "recipes")
EVERY = tuple(
    target
    for target in lockable_targets(read_library(TEXTS), Selection(releases=(ALL,)))
    if (ROOT / "lock" / target.path).is_file()
)
TRIED = EVERY[:: max(1, len(EVERY) // 24)]
SCALARS = (str, int, bool)


def literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def is_written_there(row: ExplainedValue, texts: Mapping[str, bytes]) -> bool:
    """Whether the first place of a value has it: the line has the literal, or the key of a list that begins."""
    place = row.places[0]
    line = texts[place.file.partition("/")[2]].decode().split("\n")[place.line - 1]
    if not isinstance(row.written, tuple):
        return literal(row.written) in line
    if row.part.startswith("component ") and line.startswith("system = "):
        return True  # a step of the build system itself: no recipe has its words
    return "[" in line or "{" in line


def values_of(rows: Iterable[ExplainedValue], part: str, key: str = "") -> list[Any]:
    return [row.value for row in rows if row.part == part and key in row.key]


def leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value


@pytest.mark.parametrize("target", TRIED, ids=str)
def test_every_place_has_the_value(target: Target, library: Library) -> None:
    rows = explain_target(library, TEXTS, target)
    assert len(rows) > 40
    assert [row for row in rows if not is_written_there(row, TEXTS)] == []
    written = [(row.part, row.key) for row in rows]
    assert sorted({pair for pair in written if written.count(pair) > 1}) == []


@pytest.mark.parametrize("target", TRIED, ids=str)
def test_every_effective_value_is_explained(target: Target, library: Library) -> None:
    recipe = effective_recipe(library, target)
    rows = explain_target(library, TEXTS, target)
    check_framework(recipe, rows)
    check_platform(recipe, rows)
    python = {row.key.strip('"'): row.value for row in rows if row.part == "python versions"}
    assert [f"{name}=={version}" for name, version in python.items()] == list(recipe.constraints)
    for name, version, _ in recipe.published:
        assert values_of(rows, f"component {name}", "version")[0] == version
    for part in recipe.parts:
        said = [row for row in rows if row.part == f"component {part.name}"]
        known = {leaf for row in said for leaf in leaves(row.value)}
        table = unstructure(part)
        for submodule in table["recipe"].get("git", {}).get("submodules", ()):
            assert set(leaves(submodule)) <= known
        steps = [row.value for row in said if isinstance(row.value, tuple) and not row.key.endswith(".run")]
        assert steps == list(part.steps)
        assert [row.value for row in said if row.key.endswith(".run")] == [check.run for check in part.checks]
        family = recipe.platform.family
        assert {row.value for row in said if f"packages.{family}.build" in row.key} == set(
            part.packages.build
        )
        assert {row.value for row in said if f"packages.{family}.run" in row.key} == set(part.packages.run)
        assert {row.value for row in said if "needs" in row.key} == set(part.needs)
        plain = {key: table[key] for key in ("wheels", "license", "system", "prefix") if key in table}
        plain |= {key: getattr(part, key) for key in ("build_requires", "library_path", "family")}
        plain["env"] = dict(part.env)
        assert set(leaves(plain)) - known <= {"", part.version}, part.name


def check_framework(recipe: EffectiveRecipe, rows: tuple[ExplainedValue, ...]) -> None:
    part = f"framework {recipe.target.framework}"
    assert values_of(rows, part, "roots") == list(recipe.roots)
    assert set(values_of(rows, part, "env.")) == {value for _, value in recipe.env}
    packages = values_of(rows, part, "packages")
    assert set(packages) == {*recipe.packages.build, *recipe.packages.run}
    assert values_of(rows, part, "components") == list(recipe.framework.components)
    assert [row.value for row in rows if row.part == part and row.key.endswith(".run")] == [
        check.run for check in recipe.checks
    ]
    known = {leaf for row in rows if row.part == part for leaf in leaves(row.value)}
    table = unstructure(recipe.framework)
    for key in ("indexes", "declared", "accelerated", "entrypoint", "command", "downloads"):
        assert set(leaves(table.get(key, ()))) <= known


def check_platform(recipe: EffectiveRecipe, rows: tuple[ExplainedValue, ...]) -> None:
    table = unstructure(recipe.platform)
    for key in ("extends", "versions"):
        table.pop(key, None)
    for key in ("images", "assembled"):
        table[key] = table.get(key, {}).get(recipe.target.arch, {})
    known = set(values_of(rows, f"platform {recipe.target.platform}"))
    defaults = {
        "build",
        "runtime",
        "declared",
        "",
        "apt",
        "/opt/venv",
        "1000:0",
        "/home/app",
        99,
        False,
        True,
    }
    assert {leaf for leaf in leaves(table) if isinstance(leaf, SCALARS)} - known - defaults == set()


@pytest.mark.parametrize("target", EVERY[:: max(1, len(EVERY) // 3)], ids=str)
def test_what_stands_at_a_place_decides(target: Target, library: Library) -> None:
    """Changed there, the value is another one: tried with every tenth value that is text."""
    before = {(row.part, row.key): row.value for row in explain_target(library, TEXTS, target)}
    tried = 0
    for row in explain_target(library, TEXTS, target)[::10]:
        if not isinstance(row.written, str) or row.key.endswith(
            ("sha256", "digest", "commit", "tree", "evidence")
        ):
            continue
        place = row.places[0]
        path = place.file.partition("/")[2]
        lines = TEXTS[path].decode().split("\n")
        lines[place.line - 1] = lines[place.line - 1].replace(
            literal(row.written), literal(f"{row.written}x")
        )
        changed = {**TEXTS, path: "\n".join(lines).encode()}
        try:
            other = read_library(changed)
            after = {(one.part, one.key): one.value for one in explain_target(other, changed, target)}
        except Exception:  # noqa: BLE001 - a name, or a value that is checked: it decides, then
            continue
        tried += 1
        assert after != before, row
    assert tried > 3


def test_a_recipe_alone_is_shown_whole_with_what_it_extends(library: Library) -> None:
    tables = {path: data for path, data in TEXTS.items() if path.endswith(".toml")}
    for kind, folder in RECIPE_KINDS.items():
        for name in sorted(getattr(library, folder))[:6]:
            rows = explain_recipe(library, TEXTS, kind, name)
            known = {leaf for row in rows for leaf in leaves(row.value)}
            table = toml.loads(tables[f"{folder}/{name}.toml"], place=name, error=UsageError)
            assert set(leaves(table)) <= known, name
            assert [row for row in rows if not is_written_there(row, TEXTS)] == []


def test_inherited_values_have_the_place_of_the_parent_and_pins_that_of_the_release() -> None:
    catalogue = RecipeCatalogue(version="1.0", files=folder_files(SMALL / "recipes"))
    own = {
        "frameworks/mine.toml": b'name = "mine"\nsummary = "s"\nextends = "tiny"\n\nroots = [\n  "extra",\n]\n',
        "releases/3.0.toml": b'version = "3.0"\nextends = "1.0"\ndefault = true\n\n[python.mine]\nextra = "2.1"\n\n'
        b'[[targets]]\nframework = "mine"\nplatforms = ["plain"]\narches = ["x86_64"]\n',
    }
    library = read_library(own, catalogue)
    target = Target.of_path("3.0/plain/mine-x86_64.toml")
    assert target
    texts = {**catalogue.files, **own}
    rows = explain_target(library, texts, target)
    assert [row for row in rows if not is_written_there(row, texts)] == []
    places = {row.value: list(map(str, row.places)) for row in rows if row.key.startswith("roots")}
    assert places["extra==2.1"] == ["recipes/frameworks/mine.toml:6", "recipes/releases/3.0.toml:6"]
    inherited = next(value for value in places if value != "extra==2.1")
    assert all(place.startswith("catalogue/") for place in places[inherited])
    assert {row.places[0].file for row in rows if row.part.startswith("platform")} == {
        "catalogue/platforms/plain.toml"
    }
    (date,) = (row for row in rows if row.key == "date")
    assert date.places[0].file == "catalogue/releases/1.0.toml"


def test_an_unknown_name_is_refused_with_the_nearest(library: Library) -> None:
    assert recipe_kinds(library, "ucx") == ("component",)
    with pytest.raises(UsageError) as raised:
        recipe_kinds(library, "vlm")
    assert "`vllm`" in raised.value.hint

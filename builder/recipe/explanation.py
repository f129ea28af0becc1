"""The effective recipe with places: each value of a target, or of one recipe, and where it is written. Pure.

Values are those of `effective_recipe`, which alone decides; here only their places are found, by the same
chains of `extends` and the same variants. `tests/recipe/test_explanation.py` holds both together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from builder.errors import UsageError
from builder.lockfile import INSTALLER, Check
from builder.model import Target, ValuePath, key_name, key_path_text, nearest_names
from builder.recipe.build_systems import DEFAULT_STEPS, FLAGS
from builder.recipe.effective import EffectiveComponent, component_placeholders, effective_recipe
from builder.recipe.library import Library
from builder.recipe.placed import PlacedTable, PlacedValue, ValuePlace, flattened, placed_table
from builder.recipe.placeholders import fill_placeholders
from builder.recipe.reading import joined_tables
from builder.recipe.target_components import TargetRecipes

__all__ = ["RECIPE_KINDS", "ExplainedValue", "explain_recipe", "explain_target", "recipe_kinds"]

RECIPE_KINDS = {
    "framework": "frameworks",
    "component": "components",
    "platform": "platforms",
    "release": "releases",
}
"""What kinds of recipe there are, and the folder of each."""

Value = str | int | bool | tuple[str, ...]
_NOT_EFFECTIVE = ("extends", "pythons", "refused", "replaces", "variants")
"""Keys of recipes that decide which targets there are, or how others count: they are no part of a target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedValue:
    """One value of a recipe, and where it comes from."""

    part: str
    """Such as `component ucx`."""
    key: str
    """Below the part, as recipes write it."""
    value: Value
    written: Value
    """The same with placeholders, as the file has it."""
    places: tuple[ValuePlace, ...]
    """Where it is written, the place that decides first; several if it is put together."""
    when: str = ""
    """The conditions of the variant that it is written in."""


class PlacedRecipes:
    """The recipe files of a library with places, each read when it is asked for."""

    def __init__(self, library: Library, texts: Mapping[str, bytes]) -> None:
        self._library = library
        self._texts = texts
        self._read: dict[str, PlacedTable] = {}

    def table(self, folder: str, name: str) -> Mapping[str, Any]:
        """Return one recipe, with what it has from those that it extends."""
        library = self._library
        names: Sequence[str] = (name,)
        if folder == "frameworks":
            names = library.framework_chain(name)
        elif folder == "platforms":
            names = [row.name for row in library.platform_chain(library.platforms[name])]
        elif folder == "releases":
            names = [row.version for row in library.release_chain(library.releases[name])]
        return joined_tables([self._placed_file(f"{folder}/{link}.toml") for link in names], folder)

    def _placed_file(self, path: str) -> PlacedTable:
        if path not in self._read:
            self._read[path] = placed_table(self._texts[path], file=self._library.place(path))
        return self._read[path]


def recipe_kinds(library: Library, name: str) -> tuple[str, ...]:
    """Return the kinds of recipe that have a name; UsageError with the nearest names if none has it."""
    named = {kind: getattr(library, folder) for kind, folder in RECIPE_KINDS.items()}
    found = tuple(kind for kind, recipes in named.items() if name in recipes)
    if not found:
        every = sorted({one for recipes in named.values() for one in recipes})
        raise UsageError(
            f"there is no framework, component, platform or release {name!r}",
            place="explain",
            hint=nearest_names(name, every),
        )
    return found


def explain_recipe(
    library: Library, texts: Mapping[str, bytes], kind: str, name: str
) -> tuple[ExplainedValue, ...]:
    """Return every value of one recipe, with what it inherits; placeholders stay as they are written.

    `texts` are the files that `library` was read from, by path below the recipe folder.
    """
    table = PlacedRecipes(library, texts).table(RECIPE_KINDS[kind], name)
    return tuple(_as_written(f"{kind} {name}", flattened(table)))


def explain_target(
    library: Library, texts: Mapping[str, bytes], target: Target
) -> tuple[ExplainedValue, ...]:
    """Return every value that a lock of `target` is made from; errors are those of `effective_recipe`."""
    return tuple(_TargetExplanation(library, texts, target).values())


def _as_written(
    part: str, rows: Iterable[tuple[ValuePath, PlacedValue]], when: str = ""
) -> Iterator[ExplainedValue]:
    for path, row in rows:
        yield _explained_part(part, key_path_text(path), row, when=when)


def _explained_part(
    part: str,
    key: str,
    row: PlacedValue,
    *,
    value: Value | None = None,
    more: Iterable[ValuePlace] = (),
    when: str = "",
) -> ExplainedValue:
    """Return a row; `value` where it is another one than the written, `more` where else it comes from."""
    return ExplainedValue(
        part=part,
        key=key,
        value=row.value if value is None else value,
        written=row.value,
        places=tuple(dict.fromkeys((row.place, *more))),
        when=when,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """The table of a recipe or of a variant that holds, and the variant's conditions."""

    table: Mapping[str, Any]
    path: ValuePath = ()
    when: str = ""

    def rows(self, *keys: str) -> Iterator[tuple[ValuePath, PlacedValue]]:
        """Yield the values below a key path, with paths from the recipe's begin."""
        table: Any = self.table
        for key in keys:
            table = table.get(key, {})
        yield from flattened(table, (*self.path, *keys))


class _TargetExplanation:
    """Everything that one target is made from, part by part."""

    def __init__(self, library: Library, texts: Mapping[str, bytes], target: Target) -> None:
        self._library = library
        self._target = target
        self._recipe = effective_recipe(library, target)
        self._recipes = TargetRecipes(
            library=library, release=self._recipe.release, platform=self._recipe.platform, target=target
        )
        self._placed = PlacedRecipes(library, texts)
        self._release = self._placed.table("releases", target.release)
        self._platform = self._placed.table("platforms", target.platform)

    def values(self) -> Iterator[ExplainedValue]:
        yield from self._release_values()
        yield from self._platform_values()
        yield from self._framework_values()
        yield from self._python_values()
        for part in self._recipe.parts:
            yield from self._component_values(part)
        for name, version, _ in self._recipe.published:
            yield from self._published_values(name, version)

    def _release_values(self) -> Iterator[ExplainedValue]:
        part = f"release {self._target.release}"
        for key in ("version", "date", "exclude-newer"):
            yield from _as_written(part, flattened(self._release[key], (key,)))
        installer = self._release.get("python", {}).get(INSTALLER, {})
        yield from _as_written(part, flattened(installer, ("python", INSTALLER)))

    def _platform_values(self) -> Iterator[ExplainedValue]:
        arch = self._target.arch
        for key, value in self._platform.items():
            if key in _NOT_EFFECTIVE or key == "versions":
                continue
            by_arch = key in ("images", "assembled") and value
            rows = flattened(value.get(arch, {}), (key, arch)) if by_arch else flattened(value, (key,))
            yield from _as_written(f"platform {self._target.platform}", rows)

    def _holding_layers(self, table: Mapping[str, Any], conditions: Iterable[bool]) -> list[_Layer]:
        """Return a recipe's table, then its variants that hold."""
        layers = [_Layer(table=table)]
        for index, (variant, holds) in enumerate(zip(table.get("variants", ()), conditions, strict=True)):
            if holds:
                when = ", ".join(
                    f"{key} = {json.dumps(row.value)}" for key, row in variant.get("when", {}).items()
                )
                layers.append(_Layer(table=variant, path=("variants", index), when=when))
        return layers

    def _framework_values(self) -> Iterator[ExplainedValue]:
        name, recipe = self._target.framework, self._recipe
        part = f"framework {name}"
        table = self._placed.table("frameworks", name)
        held = [
            self._recipes.holds(row.when, self._recipes.condition_version)
            for row in self._library.framework(name).variants
        ]
        layers = self._holding_layers(table, held)
        special = ("checks", "components", "env", "packages", "roots", "when", *_NOT_EFFECTIVE)
        for layer in layers:
            for key, value in layer.table.items():
                if key not in special and not (layer.when and key == "reason"):
                    yield from _as_written(part, flattened(value, (*layer.path, key)), layer.when)
        for layer in layers:
            yield from _as_written(part, layer.rows("components"), layer.when)
        yield from self._root_values(part, layers)
        yield from self._env_values(part, layers, dict(recipe.env))
        yield from self._package_values(part, layers)
        yield from self._check_values(part, layers, recipe.checks)

    def _root_values(self, part: str, layers: Sequence[_Layer]) -> Iterator[ExplainedValue]:
        for root in self._recipe.roots:
            name = root.rpartition("==")[0]
            rows = [(path, row, layer.when) for layer in layers for path, row in layer.rows("roots")]
            (path, row, when), *others = [one for one in rows if one[1].value == name]
            places = [other.place for _, other, _ in others]
            pins = self._pin_places(name.partition("[")[0].strip())
            more = (*places, *pins)
            yield _explained_part(part, key_path_text(path), row, value=root, more=more, when=when)

    def _python_values(self) -> Iterator[ExplainedValue]:
        """Yield the exact versions that hold for Python distributions, roots or not."""
        for text in self._recipe.constraints:
            name, _, version = text.partition("==")
            first, *others = self._pin_places(name)
            row = PlacedValue(value=version, place=first)
            yield _explained_part("python versions", key_name(name), row, more=others)

    def _pin_places(self, distribution: str) -> list[ValuePlace]:
        """Return where the version of a distribution is written, that of the framework before `all`'s."""
        groups = self._release.get("python", {})
        found = [
            groups[group][distribution].place
            for group in (*self._recipes.framework_names, "all")
            if distribution in groups.get(group, {})
        ][:1]
        for component, family in self._recipe.families:
            if distribution in family:
                found.append(self._version_row(component).place)
                found += [
                    row.place
                    for _, row in _Layer(table=self._component_table(component)).rows("python", "family")
                    if row.value == distribution
                ]
        return found

    def _version_row(self, component: str) -> PlacedValue:
        """Return a component's version where it is decided: by the platform, else framework, else release."""
        own = self._release.get("framework-components", {})
        tables = [
            self._platform.get("versions", {}),
            *(own.get(name, {}) for name in self._recipes.framework_names),
            self._release.get("components", {}),
        ]
        found: PlacedValue = next(table[component] for table in tables if component in table)
        return found

    def _component_table(self, name: str) -> Mapping[str, Any]:
        return self._placed.table("components", name)

    def _published_values(self, name: str, version: str) -> Iterator[ExplainedValue]:
        part, table = f"component {name}", self._component_table(name)
        yield _explained_part(part, "version", self._version_row(name))
        yield from _as_written(part, flattened(table["versions"][version], ("versions", version)))
        yield from _as_written(part, _Layer(table=table).rows("python", "family"))

    def _component_values(self, part: EffectiveComponent) -> Iterator[ExplainedValue]:
        said = f"component {part.name}"
        table = self._component_table(part.name)
        variants = self._library.components[part.name].variants
        layers = self._holding_layers(
            table, [self._recipes.holds(row.when, part.version) for row in variants]
        )
        yield _explained_part(said, "version", self._version_row(part.name))
        yield from self._source_values(said, table, part)
        for key in ("license", "system", "runtime"):
            yield from _as_written(said, layers[0].rows(key))
        yield from self._prefix_value(said, layers, part)
        yield from self._need_values(said, layers, part)
        yield from self._gpu_values(said, layers, part)
        yield from self._env_values(said, layers, dict(part.env))
        for layer in layers:
            yield from _as_written(said, layer.rows("patches"), layer.when)
        yield from self._step_values(said, layers, part)
        yield from self._package_values(said, layers)
        yield from self._wheel_values(said, layers, part)
        yield from _as_written(said, layers[0].rows("python", "family"))
        yield from _library_path_values(said, layers, part)
        yield from self._check_values(said, layers, part.checks)

    def _source_values(
        self, said: str, table: Mapping[str, Any], part: EffectiveComponent
    ) -> Iterator[ExplainedValue]:
        version = table["versions"][part.version]
        for key, value in version.items():
            if key in ("published", "reason", "source-when"):
                continue
            path: ValuePath = ("versions", part.version, key)
            if key != "archives":
                yield from _as_written(said, flattened(value, path))
                continue
            for index, archive in enumerate(value):
                arches = [row.value for _, row in flattened(archive.get("arches", ()), ("arches",))]
                if not arches or self._target.arch in arches:
                    yield from _as_written(said, flattened(archive, (*path, index)))

    def _prefix_value(
        self, said: str, layers: Sequence[_Layer], part: EffectiveComponent
    ) -> Iterator[ExplainedValue]:
        stated = [layer for layer in layers if "prefix" in layer.table]
        for layer in stated[-1:]:
            for path, row in layer.rows("prefix"):
                yield _explained_part(said, key_path_text(path), row, value=part.prefix, when=layer.when)

    def _need_values(
        self, said: str, layers: Sequence[_Layer], part: EffectiveComponent
    ) -> Iterator[ExplainedValue]:
        written = [
            _explained_part(said, key_path_text(path), row, when=layer.when)
            for layer in layers
            for path, row in layer.rows("needs")
        ]
        for need in part.needs:
            rows = [row for row in written if row.value == need]
            yield from rows
            if not rows:  # a Python environment needs the platform's interpreter
                yield _explained_part(said, "needs", self._platform["interpreter"])

    def _gpu_values(
        self, said: str, layers: Sequence[_Layer], part: EffectiveComponent
    ) -> Iterator[ExplainedValue]:
        stated = [layer for layer in layers if "device-code" in layer.table]
        for layer in stated[-1:]:
            yield from _as_written(said, layer.rows("device-code"), layer.when)
            for index, row in enumerate(self._platform.get("gpu-archs", ())):
                if row.value in part.gpu_archs:
                    yield _explained_part(said, f"gpu-archs[{index}]", row)

    def _env_values(
        self, said: str, layers: Sequence[_Layer], env: Mapping[str, str]
    ) -> Iterator[ExplainedValue]:
        for key, value in env.items():
            layer = [one for one in layers if key in one.table.get("env", {})][-1]
            row = layer.table["env"][key]
            yield _explained_part(
                said, key_path_text((*layer.path, "env", key)), row, value=value, when=layer.when
            )

    def _package_values(self, said: str, layers: Sequence[_Layer]) -> Iterator[ExplainedValue]:
        for layer in layers:
            yield from _as_written(said, layer.rows("packages", self._recipe.platform.family), layer.when)
        patches = [row for layer in layers for _, row in layer.rows("patches")]
        if patches:  # what applies them is a package of the build, too
            key = f"packages.{self._recipe.platform.family}.build"
            yield _explained_part(said, key, patches[0], value="patch", more=[row.place for row in patches])

    def _step_values(
        self, said: str, layers: Sequence[_Layer], part: EffectiveComponent
    ) -> Iterator[ExplainedValue]:
        """Yield the flags, and each step with flags and placeholders filled, and with the places of both."""
        placeholders = component_placeholders(self._recipes, self._library.components[part.name])
        flags = [
            _explained_part(
                said,
                key_path_text(path),
                row,
                value=fill_placeholders(str(row.value), placeholders, place=str(row.place)),
                when=layer.when,
            )
            for layer in layers
            for path, row in layer.rows("flags")
        ]
        own = [layer for layer in layers if layer.table.get("steps")][-1:]
        before = [(path, row, layer.when) for layer in layers for path, row in layer.rows("before")]
        after = [(path, row, layer.when) for layer in layers for path, row in layer.rows("after")]
        middle = [(path, row, layer.when) for layer in own for path, row in layer.rows("steps")]
        if not own:
            system = layers[0].table["system"]
            middle = [
                (("steps", index), replace(system, value=step), "")
                for index, step in enumerate(DEFAULT_STEPS[part.system])
            ]
        used = False
        steps = []
        for (path, row, when), value in zip([*before, *middle, *after], part.steps, strict=True):
            takes = isinstance(row.value, tuple) and any(FLAGS in word for word in row.value)
            used = used or takes
            more = [place for flag in flags for place in flag.places] if takes else []
            steps.append(_explained_part(said, key_path_text(path), row, value=value, more=more, when=when))
        if used:
            yield from flags
        yield from steps

    def _wheel_values(
        self, said: str, layers: Sequence[_Layer], part: EffectiveComponent
    ) -> Iterator[ExplainedValue]:
        rows = [
            (layer, (*layer.path, *keys, index), wheel)
            for layer in layers
            for keys in ((*_of_python(layer), "wheels"),)
            for index, wheel in enumerate(_below(layer.table, keys))
        ]
        for (layer, path, table), wheel in zip(rows, part.wheels, strict=True):
            filled: dict[ValuePath, Value] = {("name",): wheel.name, ("version",): wheel.version}
            filled |= {("requires", index): text for index, text in enumerate(wheel.requires)}
            for below, row in flattened(table):
                value = filled.get(below, row.value)
                yield _explained_part(said, key_path_text((*path, *below)), row, value=value, when=layer.when)
        placeholders = component_placeholders(self._recipes, self._library.components[part.name])
        for layer in layers:
            for path, row in layer.rows(*_of_python(layer), "build-requires"):
                value = fill_placeholders(str(row.value), placeholders, place=str(row.place))
                yield _explained_part(said, key_path_text(path), row, value=value, when=layer.when)

    def _check_values(
        self, said: str, layers: Sequence[_Layer], checks: Sequence[Check]
    ) -> Iterator[ExplainedValue]:
        rows = [
            (layer, (*layer.path, "checks", index), table)
            for layer in layers
            for index, table in enumerate(layer.table.get("checks", ()))
        ]
        for (layer, path, table), check in zip(rows, checks, strict=True):
            filled: dict[ValuePath, Value] = {("run",): check.run, ("expect",): check.expect}
            for below, row in flattened(table, path):
                value = filled.get(below[len(path) :], row.value)
                yield _explained_part(said, key_path_text(below), row, value=value, when=layer.when)


def _below(table: Mapping[str, Any], keys: Sequence[str]) -> Sequence[Any]:
    found: Any = table
    for key in keys:
        found = found.get(key, {})
    return found or ()


def _of_python(layer: _Layer) -> tuple[str, ...]:
    """Return the table that has what concerns Python: a variant has it at its top."""
    return () if layer.path else ("python",)


def _library_path_values(
    said: str, layers: Sequence[_Layer], part: EffectiveComponent
) -> Iterator[ExplainedValue]:
    rows = [(path, row, layer.when) for layer in layers for path, row in layer.rows("library-path")]
    for (path, row, when), value in zip(rows, part.library_path, strict=True):
        yield _explained_part(said, key_path_text(path), row, value=value, when=when)

"""Which environments a target has, and what each asks of the resolvers, as plain values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from packaging.utils import canonicalize_name

from builder.errors import RecipeError
from builder.lockfile import BASE, INSTALLER, RUNTIME
from builder.model import Arch, Table, marker_environment, possible_pythons, recipe_requirement
from builder.recipe.effective import EffectiveComponent, EffectiveRecipe, image_python
from builder.recipe.framework import DeclaredWheel, PythonIndex

__all__ = [
    "PYPI",
    "UPGRADE_ALL",
    "PythonRequest",
    "StandIn",
    "os_requests",
    "python_requests",
]

PYPI = "pypi"
"""The origin of files that the default index lists."""

_PIP = "pip"

UPGRADE_ALL = ("*",)
"""The value of `upgrade` that drops every existing pin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """A distribution that does not come as a published wheel; its requirements count nevertheless."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    """Requirement strings, as its metadata will state them."""
    build: str = ""
    """The build that makes its wheel; empty for one that an image provides, which then gets no row."""
    provides_extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonRequest:
    """One environment of one target."""

    environment: str
    """`runtime`, or the name of the build whose requirements these are."""
    roots: tuple[str, ...]
    """Requirement strings, each bound by `==` (trap T4)."""
    arch: Arch
    glibc: str
    """The lowest glibc the wheels will meet, such as `2.41`."""
    python: str
    """The interpreter's minor version, such as `3.13`."""
    exclude_newer: str
    """RFC 3339 in UTC: files uploaded at or after it do not exist."""
    constraints: tuple[str, ...] = ()
    stand_ins: tuple[StandIn, ...] = ()
    declared: tuple[DeclaredWheel, ...] = ()
    indexes: tuple[PythonIndex, ...] = ()
    preferences: tuple[tuple[str, str], ...] = ()
    """Existing pins, (name, version): kept where they still fit."""
    upgrade: tuple[str, ...] = ()
    """Names whose existing pins are dropped, or `UPGRADE_ALL`."""
    full_python: str = ""
    """The interpreter's full version, such as `3.13.5`; empty where nothing says it."""
    aliases: Table = field(default_factory=Table)
    """Component name to the distribution it provides, for messages and for roots written with the former."""

    @property
    def given(self) -> tuple[StandIn | DeclaredWheel, ...]:
        """Everything whose metadata is written down instead of published in a wheel."""
        return (*self.stand_ins, *self.declared)

    def possible_pythons(self) -> tuple[str, ...]:
        """Return the full versions that the interpreter may have: one where it is known."""
        return possible_pythons(self.python, self.full_python)

    def markers(self) -> Mapping[str, str]:
        """Return what environment markers are evaluated against."""
        return marker_environment(self.arch, self.python, self.full_python)

    def shown_python(self) -> str:
        """Return the interpreter's version, as far as it is known."""
        return self.full_python or self.python

    def component_of(self, distribution: str) -> str:
        """Return the component that provides `distribution`, or an empty text."""
        wanted = canonicalize_name(distribution)
        return next((key for key, value in self.aliases if canonicalize_name(value) == wanted), "")

    def index_of(self, distribution: str) -> PythonIndex | None:
        """Return the extra index that `distribution` must come from, if there is one."""
        wanted = canonicalize_name(distribution)
        for index in self.indexes:
            if wanted in {canonicalize_name(name) for name in index.packages}:
                return index
        return None

    def described(self) -> str:
        """Return the target in words, for messages."""
        return f"{self.environment} on {self.arch} (Python {self.shown_python()}, glibc {self.glibc})"


def os_requests(recipe: EffectiveRecipe) -> dict[str, tuple[str, ...]]:
    """Return the OS packages that each environment asks for by name, sorted.

    A build sees its own build packages and, for what its prefixes link to, the
    run packages of everything it needs. `base` is not among them: an assembled
    base has no requests, it is what the distribution calls required.
    """
    parts = {part.name: part for part in recipe.parts}
    found = {}
    for part in recipe.parts:
        names = {*recipe.platform.packages.build, *part.packages.build}
        for need in transitive_needs(parts, part):
            names.update(need.packages.run)
        if part.steps:
            found[part.name] = tuple(sorted(names))
    runtime = {*recipe.platform.packages.run, *recipe.packages.run}
    for part in recipe.parts:
        if part.runtime or part.wheels:
            runtime.update(part.packages.run)
    found[RUNTIME] = tuple(sorted(runtime))
    assert BASE not in found, "no component may be called base"  # noqa: S101 - checked for recipes elsewhere
    return found


def transitive_needs(
    parts: dict[str, EffectiveComponent], part: EffectiveComponent
) -> tuple[EffectiveComponent, ...]:
    """Return everything that `part` needs, directly or through others, by name."""
    names: set[str] = set()
    waiting = list(part.needs)
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting.extend(parts[name].needs)
    return tuple(parts[name] for name in sorted(names))


def python_requests(
    recipe: EffectiveRecipe,
    *,
    preferences: dict[str, tuple[tuple[str, str], ...]],
    upgrade: tuple[str, ...],
    full_pythons: Mapping[str, str] = MappingProxyType({}),
) -> tuple[PythonRequest, ...]:
    """Return one request an environment: the image's, the installer's, and each build's that has any.

    `full_pythons` has the full version of Python by environment, as far as OS packages say it.
    RecipeError for a release that asks for Python distributions, and not for the pip that installs them.
    """
    roots = {RUNTIME: recipe.roots}
    roots |= {part.name: part.build_requires for part in recipe.parts if part.build_requires}
    wheels = any(roots.values()) or any(part.wheels for part in recipe.parts)
    roots[INSTALLER] = _installer_roots(recipe, needed=wheels)
    return tuple(
        replace(
            _environment_request(recipe, name, required, preferences.get(name, ()), upgrade),
            full_python=_interpreter_version(recipe) or full_pythons.get(name, ""),
        )
        for name, required in sorted(roots.items())
    )


def _interpreter_version(recipe: EffectiveRecipe) -> str:
    """Return the version of the component that brings Python, or empty where an OS package does."""
    name = recipe.platform.interpreter
    return next((part.version for part in recipe.parts if part.name == name), "") if name else ""


def _installer_roots(recipe: EffectiveRecipe, *, needed: bool) -> tuple[str, ...]:
    pins = recipe.release.python.get(INSTALLER, Table())
    if needed and [name for name, _ in pins] != [_PIP]:
        raise RecipeError(
            "pip, and nothing else, installs the wheels of a lock, and its version is the release's",
            place=f"recipes/releases/{recipe.release.version}.toml: python.{INSTALLER}",
            hint=f'write [python.{INSTALLER}] with `{_PIP} = "…"` alone',
        )
    return tuple(f"{name}=={version}" for name, version in pins)


def _environment_request(
    recipe: EffectiveRecipe,
    environment: str,
    roots: tuple[str, ...],
    preferences: tuple[tuple[str, str], ...],
    upgrade: tuple[str, ...],
) -> PythonRequest:
    runtime = environment == RUNTIME
    own = {recipe_requirement(root).name for root in roots}
    constraints = recipe.constraints if runtime else ()
    return PythonRequest(
        environment=environment,
        roots=roots,
        constraints=tuple(text for text in constraints if text.partition("==")[0] not in own),
        stand_ins=(
            *_built_stand_ins(recipe, roots, runtime=runtime),
            *(_image_stand_ins(recipe) if runtime else ()),
        ),
        declared=_declared_wheels(recipe) if runtime else (),
        indexes=_extra_indexes(recipe),
        arch=recipe.target.arch,
        glibc=recipe.platform.glibc,
        python=recipe.platform.python,
        exclude_newer=recipe.release.exclude_newer,
        preferences=preferences,
        upgrade=upgrade,
        aliases=_distribution_aliases(recipe),
    )


def _distribution_aliases(recipe: EffectiveRecipe) -> Table:
    """Return which distribution a component stands for, where it is not called the same."""
    return Table((name, family[0]) for name, family in recipe.families if family and name not in family)


def _built_stand_ins(
    recipe: EffectiveRecipe, roots: tuple[str, ...], *, runtime: bool
) -> tuple[StandIn, ...]:
    """Return the wheels that builds make; a build environment sees those that it asks for itself."""
    asked = {recipe_requirement(root).name for root in roots}
    return tuple(
        StandIn(
            name=wheel.name,
            version=wheel.version,
            requires=wheel.requires,
            build=part.name,
            provides_extra=wheel.extras,
        )
        for part in recipe.parts
        for wheel in part.wheels
        if runtime or wheel.name in asked
    )


def _image_stand_ins(recipe: EffectiveRecipe) -> tuple[StandIn, ...]:
    """Return what the runtime image holds: counted on as it is, its own requirements met in the image."""
    found = []
    for text in image_python(recipe):
        name, _, version = text.partition("==")
        maker = next((part.name for part in recipe.parts if name in [w.name for w in part.wheels]), "")
        if maker:
            raise RecipeError(
                f"the image holds {name} {version}, and component {maker} builds it",
                place=f"recipes/platforms/{recipe.platform.name}.toml: images",
                hint=f"list {maker} under `provides`, or take another image",
            )
        found.append(StandIn(name=name, version=version))
    return tuple(found)


def _extra_indexes(recipe: EffectiveRecipe) -> tuple[PythonIndex, ...]:
    """Return the extra indexes with the distributions that must come from them: not what an image holds."""
    held = {text.partition("==")[0] for text in image_python(recipe)}
    held |= {canonicalize_name(wheel.name) for wheel in _declared_wheels(recipe)}
    found = []
    for index in recipe.framework.indexes:
        packages = tuple(name for name in index.packages if canonicalize_name(name) not in held)
        if packages:
            found.append(replace(index, packages=packages))
    return tuple(found)


def _declared_wheels(recipe: EffectiveRecipe) -> tuple[DeclaredWheel, ...]:
    """Return the declared wheels of the target's architecture."""
    return tuple(wheel for wheel in recipe.framework.declared if wheel.arch in (None, recipe.target.arch))

"""What a project pins, each with the file and key that states it: what `outdated` asks about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from packaging.utils import canonicalize_name

from builder.lockfile import INSTALLER
from builder.model import Arch, Target
from builder.recipe import EffectiveRecipe, ImageRecipe, Library, Platform, RepositoryRecipe, effective_recipe

__all__ = ["ProjectPin", "ProjectPinKind", "PythonTarget", "project_pins"]

_ALL = "all"
"""The group of a release's Python pins that holds for every framework."""

PythonTarget = tuple[Arch, str, str]
"""Architecture, glibc and Python that a wheel must fit."""


class ProjectPinKind(StrEnum):
    """What is pinned."""

    PYTHON = "python"
    COMPONENT = "component"
    IMAGE = "image"
    OS_INDEX = "os-index"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPin:
    """One version that recipes state; the same one in several releases is several pins."""

    kind: ProjectPinKind
    name: str
    """A distribution, a component, an image's name, an origin and suite, or a release."""
    version: str
    """A version; of an image its tag, of an OS index the moment it was pinned at, of a release its base."""
    path: str
    """The file that states it, below the recipe folder, such as `releases/1.0.toml`."""
    keys: tuple[str | int, ...]
    """The key path in that file."""
    inherited: bool
    """Whether the file is the catalogue's, not the project's own."""
    releases: tuple[str, ...]
    """The releases whose targets use it."""
    pythons: frozenset[PythonTarget] = frozenset()
    """What its wheels must fit: of Python distributions, and components that come as one."""
    index_url: str = ""
    """The extra index that a distribution must come from, else empty."""
    image: ImageRecipe | None = None
    repository: RepositoryRecipe | None = None


def project_pins(
    library: Library, targets: Iterable[Target], tables: Mapping[str, Mapping[str, Any]]
) -> tuple[ProjectPin, ...]:
    """Return every pin that the targets use, sorted (RecipeError for recipes that do not fit).

    `tables` are the release and platform files as they stand, without what they inherit, by path below the
    recipe folder.
    """
    found: dict[tuple[object, ...], ProjectPin] = {}
    for target in targets:
        recipe = effective_recipe(library, target)
        for pin in (
            *_python_pins(library, recipe, tables),
            *_component_pins(library, recipe, tables),
            *_platform_pins(library, recipe, tables),
            *_release_pins(library, recipe),
        ):
            identity = (pin.kind, pin.path, pin.keys, pin.name)
            known = found.get(identity)
            found[identity] = _joined_pins(known, pin) if known else pin
    return tuple(sorted(found.values(), key=_pin_order))


def _pin_order(pin: ProjectPin) -> tuple[object, ...]:
    return (list(ProjectPinKind).index(pin.kind), pin.name, pin.path, tuple(map(str, pin.keys)))


def _joined_pins(one: ProjectPin, other: ProjectPin) -> ProjectPin:
    releases = tuple(sorted({*one.releases, *other.releases}))
    return replace(one, releases=releases, pythons=one.pythons | other.pythons)


def _python_target(recipe: EffectiveRecipe) -> frozenset[PythonTarget]:
    return frozenset({(Arch(recipe.target.arch), recipe.platform.glibc, recipe.platform.python)})


def _python_pins(
    library: Library, recipe: EffectiveRecipe, tables: Mapping[str, Mapping[str, Any]]
) -> Iterable[ProjectPin]:
    groups = (*library.framework_chain(recipe.target.framework), _ALL, INSTALLER)
    chain = [f"releases/{row.version}.toml" for row in library.release_chain(recipe.release)]
    seen: set[tuple[str, bool]] = set()
    elsewhere = {
        canonicalize_name(name): row.url for row in recipe.framework.indexes for name in row.packages
    }
    for group in groups:
        names = dict.fromkeys(
            name for path in chain for name in tables[path].get("python", {}).get(group, {})
        )
        for name in names:
            # The installer is an environment of its own: its pip says nothing of another pip.
            if (name, group == INSTALLER) in seen:
                continue
            seen.add((name, group == INSTALLER))
            path = next(path for path in chain if name in tables[path].get("python", {}).get(group, {}))
            yield ProjectPin(
                kind=ProjectPinKind.PYTHON,
                name=name,
                version=tables[path]["python"][group][name],
                path=path,
                keys=("python", group, name),
                inherited=path in library.inherited,
                releases=(recipe.release.version,),
                pythons=_python_target(recipe),
                index_url=elsewhere.get(canonicalize_name(name), ""),
            )


def _component_pins(
    library: Library, recipe: EffectiveRecipe, tables: Mapping[str, Mapping[str, Any]]
) -> Iterable[ProjectPin]:
    used = [(part.name, part.version) for part in recipe.parts]
    used += [(name, version) for name, version, _ in recipe.published]
    for name, version in used:
        path, keys = _component_place(library, recipe, tables, name)
        yield ProjectPin(
            kind=ProjectPinKind.COMPONENT,
            name=name,
            version=version,
            path=path,
            keys=keys,
            inherited=path in library.inherited,
            releases=(recipe.release.version,),
            pythons=_python_target(recipe),
        )


def _component_place(
    library: Library, recipe: EffectiveRecipe, tables: Mapping[str, Mapping[str, Any]], name: str
) -> tuple[str, tuple[str, ...]]:
    """Return the file and the key that decide a component's version: the platform's, else the release's."""
    for platform in library.platform_chain(recipe.platform):
        path = f"platforms/{platform.name}.toml"
        if "versions" in tables[path]:  # of platforms a key replaces the inherited one as a whole
            if name in tables[path]["versions"]:
                return path, ("versions", name)
            break
    chain = [f"releases/{row.version}.toml" for row in library.release_chain(recipe.release)]
    for framework in library.framework_chain(recipe.target.framework):
        for path in chain:
            if name in tables[path].get("framework-components", {}).get(framework, {}):
                return path, ("framework-components", framework, name)
    return next(path for path in chain if name in tables[path].get("components", {})), ("components", name)


def _platform_pins(
    library: Library, recipe: EffectiveRecipe, tables: Mapping[str, Mapping[str, Any]]
) -> Iterable[ProjectPin]:
    chain = library.platform_chain(recipe.platform)
    arch = Arch(recipe.target.arch)
    images, repositories = (_owner_path(chain, key, tables) for key in ("images", "repositories"))
    for index, image in enumerate(recipe.platform.images.get(arch, ())):
        yield ProjectPin(
            kind=ProjectPinKind.IMAGE,
            name=f"{image.name} ({arch.value})",
            version=image.tag,
            path=images,
            keys=("images", arch.value, index),
            inherited=images in library.inherited,
            releases=(recipe.release.version,),
            image=image,
        )
    for index, repository in enumerate(recipe.platform.repositories):
        yield ProjectPin(
            kind=ProjectPinKind.OS_INDEX,
            name=f"{repository.origin} {repository.suite}",
            version=repository.at,
            path=repositories,
            keys=("repositories", index),
            inherited=repositories in library.inherited,
            releases=(recipe.release.version,),
            repository=repository,
        )


def _owner_path(chain: Sequence[Platform], key: str, tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the file at or behind a platform that has `key`."""
    paths = [f"platforms/{platform.name}.toml" for platform in chain]
    return next((path for path in paths if key in tables[path]), paths[0])


def _release_pins(library: Library, recipe: EffectiveRecipe) -> Iterable[ProjectPin]:
    """Yield the release that another one stands on."""
    release = recipe.release
    if release.extends:
        path = f"releases/{release.version}.toml"
        yield ProjectPin(
            kind=ProjectPinKind.RELEASE,
            name=release.version,
            version=release.extends,
            path=path,
            keys=("extends",),
            inherited=path in library.inherited,
            releases=(release.version,),
        )

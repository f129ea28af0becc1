"""All recipes of a project by kind and name, and what they must agree on among themselves. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from builder.errors import RecipeError, UsageError
from builder.lockfile import INSTALLER
from builder.model import Evidence, Sha256, nearest_names
from builder.recipe.catalogue import file_place
from builder.recipe.component import Component, VersionRecipe
from builder.recipe.framework import Framework
from builder.recipe.platform import ImageRecipe, Platform, RepositoryRecipe
from builder.recipe.release import Release
from builder.selection import TargetNames

__all__ = ["BUILD_SYSTEMS", "OS_FAMILIES", "Library", "check_library"]

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Every recipe by name, and the armored signing certificates by file name."""

    components: Mapping[str, Component]
    frameworks: Mapping[str, Framework]
    platforms: Mapping[str, Platform]
    releases: Mapping[str, Release]
    keys: Mapping[str, bytes]
    programs: Mapping[str, Sha256] = field(default_factory=dict)
    """Programs that checks run, path below the recipe folder to SHA-256."""
    patches: Mapping[str, bytes] = field(default_factory=dict)
    """Patch files by their path below recipes/patches."""
    inherited: frozenset[str] = frozenset()
    """Paths of the files that are the catalogue's, not the project's own."""
    catalogue_version: str = ""
    """Of the package whose catalogue the project uses; empty for one that stands alone."""

    def place(self, path: str) -> str:
        """Return how messages name a recipe file: as the project's own, or as the catalogue's."""
        return file_place(path, inherited=path in self.inherited)

    def component(self, name: str, *, place: str) -> Component:
        """Return a component; RecipeError at `place` for an unknown name."""
        return _find_recipe(self.components, name, "component", RecipeError, place)

    def framework(self, name: str) -> Framework:
        """Return a framework (UsageError for an unknown name)."""
        return _find_recipe(self.frameworks, name, "framework", UsageError, "--framework")

    def platform(self, name: str) -> Platform:
        """Return a platform (UsageError for an unknown name)."""
        return _find_recipe(self.platforms, name, "platform", UsageError, "--platform")

    def release(self, name: str) -> Release:
        """Return a release (UsageError for an unknown version)."""
        return _find_recipe(self.releases, name, "release", UsageError, "--release")

    @property
    def target_names(self) -> TargetNames:
        """What a selection may name: every release, platform and framework that has a recipe."""
        return TargetNames(
            releases=frozenset(self.releases),
            platforms=frozenset(self.platforms),
            frameworks=frozenset(self.frameworks),
        )

    @property
    def own_releases(self) -> Mapping[str, Release]:
        """What `--release all` means: the project's own releases, or the catalogue's if it has none."""
        own = {v: row for v, row in self.releases.items() if f"releases/{v}.toml" not in self.inherited}
        return own or self.releases

    @property
    def default_release(self) -> Release:
        """The release that is meant where none is named."""
        return next(release for release in self.own_releases.values() if release.default)

    def release_chain(self, release: Release) -> tuple[Release, ...]:
        """Return a release, and those that it extends, the nearest first."""
        return _extends_chain(release, self.releases)

    def platform_chain(self, platform: Platform) -> tuple[Platform, ...]:
        """Return a platform, and those that it extends, the nearest first."""
        return _extends_chain(platform, self.platforms)

    def framework_chain(self, name: str) -> tuple[str, ...]:
        """Return the name of a framework, and those of the ones that it extends, the nearest first."""
        return tuple(row.name for row in _extends_chain(self.framework(name), self.frameworks))


Link = TypeVar("Link", Framework, Platform, Release)


def _extends_chain(first: Link, items: Mapping[str, Link]) -> tuple[Link, ...]:
    chain = [first]
    while chain[-1].extends:  # `reading` refuses a circle, and a name that is not there
        chain.append(items[chain[-1].extends])
    return tuple(chain)


def _find_recipe(
    items: Mapping[str, Item], name: str, kind: str, error: type[RecipeError | UsageError], place: str
) -> Item:
    if name in items:
        return items[name]
    raise error(f"there is no {kind} {name!r}", place=place, hint=nearest_names(name, items))


BUILD_SYSTEMS = ("autotools", "cmake", "make", "meson", "prebuilt", "python-wheel")
"""Build systems that a component may name."""

OS_FAMILIES = ("debian", "rpm")
"""How the OS packages of a platform are chosen and installed."""

_REPOSITORY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MOVING_REFERENCE = re.compile(r"(?i)(main|master|head|trunk|develop|dev|latest|nightly|stable)|.*\.x")


def check_library(library: Library) -> None:
    """Raise RecipeError for the first name, version or moment that does not fit."""
    for component in library.components.values():
        _check_component(component, library)
    for name, framework in library.frameworks.items():
        _check_roots(framework, library.place(f"frameworks/{name}.toml"))
        place = library.place(f"frameworks/{name}.toml")
        _check_known(framework.components, library.components, f"{place}: components")
    for name, platform in library.platforms.items():
        _check_platform(platform, library, library.place(f"platforms/{name}.toml"))
    for version, release in library.releases.items():
        _check_release(release, library, library.place(f"releases/{version}.toml"))


def _check_known(names: Iterable[str], items: Mapping[str, Any], place: str) -> None:
    for index, name in enumerate(names):
        if name not in items:
            near = difflib.get_close_matches(name, items, n=1)
            raise RecipeError(
                f"unknown name {name!r}",
                place=f"{place}[{index}]",
                hint=f"did you mean `{near[0]}`?" if near else f"known: {', '.join(sorted(items)) or 'none'}",
            )


def _check_roots(framework: Framework, place: str) -> None:
    roots = framework.roots + tuple(root for variant in framework.variants for root in variant.roots)
    for root in roots:
        try:
            requirement = Requirement(root)
        except InvalidRequirement as error:
            raise RecipeError(f"{root!r} is not a requirement: {error}", place=f"{place}: roots") from None
        if requirement.specifier or requirement.marker or requirement.url:
            raise RecipeError(
                f"{root!r} says more than a name and extras",
                place=f"{place}: roots",
                hint="versions are the release's: pin it in recipes/releases",
            )


def _check_component(component: Component, library: Library) -> None:
    place = library.place(f"components/{component.name}.toml")
    if component.system not in BUILD_SYSTEMS:
        raise RecipeError(
            f"unknown build system {component.system!r}",
            place=f"{place}: system",
            hint=f"known: {', '.join(BUILD_SYSTEMS)}",
        )
    _check_known(component.needs, library.components, f"{place}: needs")
    for index, variant in enumerate(component.variants):
        _check_known(variant.needs, library.components, f"{place}: variants[{index}].needs")
        if variant.when.versions is not None:
            try:
                SpecifierSet(variant.when.versions)
            except InvalidSpecifier as error:
                raise RecipeError(str(error), place=f"{place}: variants[{index}].when.versions") from None
    for version, recipe in component.versions.items():
        _check_version(recipe, f'{place}: versions."{version}"')


def _check_choice(recipe: VersionRecipe, place: str) -> None:
    sources = bool(recipe.git or recipe.archives)
    if recipe.published and sources and recipe.source_when is None:
        raise RecipeError(
            "published, but it has sources", place=place, hint="say where they are built: `source-when`"
        )
    if recipe.source_when is not None and not (recipe.published and sources):
        raise RecipeError(
            "`source-when` chooses between a source and what is published", place=place, hint="give both"
        )


def _check_version(recipe: VersionRecipe, place: str) -> None:
    _check_choice(recipe, place)
    if recipe.published and not recipe.reason:
        raise RecipeError("published without a reason", place=place, hint="say why no source is used")
    if not (recipe.published or recipe.git or recipe.archives or recipe.wheels):
        raise RecipeError(
            "no source", place=place, hint="give git, archives, wheels, or published with a reason"
        )
    if recipe.git is not None:
        git = recipe.git
        if not git.tag and not git.reason:
            raise RecipeError(
                "a bare commit needs a reason", place=f"{place}.git", hint="give `tag`, or `reason`"
            )
        if _MOVING_REFERENCE.fullmatch(git.tag):
            raise RecipeError(
                f"{git.tag!r} names a branch, which moves",
                place=f"{place}.git.tag",
                hint="name a tag, or give the commit alone with a `reason`",
            )
        if not git.url.startswith("https://"):
            raise RecipeError(f"{git.url!r} is not an https address", place=f"{place}.git.url")
    for index, archive in enumerate(recipe.archives):
        if archive.evidence is Evidence.DECLARED and not archive.by:
            raise RecipeError(
                "evidence `declared` requires `by`",
                place=f"{place}.archives[{index}]",
                hint="say who published it: `by`",
            )


def _check_platform(platform: Platform, library: Library, place: str) -> None:
    _check_known(platform.provides, library.components, f"{place}: provides")
    _check_known(platform.components, library.components, f"{place}: components")
    if platform.family not in OS_FAMILIES:
        raise RecipeError(
            f"unknown family {platform.family!r}",
            place=f"{place}: family",
            hint=f"known: {', '.join(OS_FAMILIES)}",
        )
    for index, repository in enumerate(platform.repositories):
        _check_known(repository.keys, library.keys, f"{place}: repositories[{index}].keys")
        _check_repository(repository, platform.family, f"{place}: repositories[{index}]")
    suites = [repository.suite for repository in platform.repositories]
    if platform.family == "rpm" and len(set(suites)) != len(suites):
        raise RecipeError("two repositories have one name", place=f"{place}: repositories")
    if platform.family == "rpm" and platform.assembled:
        raise RecipeError("a base is assembled of Debian's packages only", place=f"{place}: assembled")
    if platform.interpreter:
        _check_interpreter(platform, library, place)
    for arch, images in platform.images.items():
        for index, image in enumerate(images):
            _check_image_python(image, platform, f"{place}: images.{arch}[{index}].python")
    if platform.images and platform.assembled:
        raise RecipeError("it has both images and assembled", place=place, hint="give one of the two")


def _check_image_python(image: ImageRecipe, platform: Platform, place: str) -> None:
    for text in image.python:
        name, _, version = text.partition("==")
        if not version or canonicalize_name(name) != name or any(mark in version for mark in "*,;[ "):
            raise RecipeError(
                f"{text!r} is not a normalised name, `==` and an exact version",
                place=place,
                hint="such as torch==2.11.0",
            )
    if image.python and not image.python_by:
        raise RecipeError(
            "`python` requires `python-by`", place=place, hint="say who published the list: `python-by`"
        )
    if image.python and not platform.image_python:
        raise RecipeError("the platform does not use them", place=place, hint="write `image-python = true`")
    if platform.image_python and platform.interpreter:
        raise RecipeError(
            "the image's distributions are of its own interpreter, and the platform brings another",
            place=place,
        )


def _check_interpreter(platform: Platform, library: Library, place: str) -> None:
    _check_known([platform.interpreter], library.components, f"{place}: interpreter")
    version = platform.versions.get(platform.interpreter) or ""
    if not version.startswith(f"{platform.python}."):
        raise RecipeError(
            f"{platform.interpreter} {version or 'of no version'} is not Python {platform.python}",
            place=f"{place}: versions.{platform.interpreter}",
            hint=f"give the version of {platform.interpreter} that `python` states",
        )


def _check_repository(repository: RepositoryRecipe, family: str, place: str) -> None:
    """Refuse the keys of the other family: they would be read by nothing."""
    keys: dict[str, dict[str, object]] = {
        "debian": {"components": repository.components, "inrelease": repository.inrelease},
        "rpm": {"path": repository.path, "repomd": repository.repomd, "priority": repository.priority != 99},
    }
    for other, values in keys.items():
        for key, value in values.items():
            if other != family and value:
                raise RecipeError(f"a repository of the family {family} has no {key}", place=f"{place}.{key}")
    if family == "debian" and not repository.components:
        raise RecipeError("this key is missing", place=f"{place}.components")
    arches = [row.arch for row in repository.repomd]
    if len(set(arches)) != len(arches):
        raise RecipeError("an architecture appears twice", place=f"{place}.repomd")
    if family == "rpm" and not _REPOSITORY_NAME.fullmatch(repository.suite):
        raise RecipeError(
            f"{repository.suite!r} is not a name of letters, digits, - . and _", place=f"{place}.suite"
        )


def _check_release(release: Release, library: Library, place: str) -> None:
    _check_moments(release, place)
    _check_published(release, place)
    groups = {**dict.fromkeys(library.frameworks), "all": None, INSTALLER: None}
    _check_known(release.python, groups, f"{place}: python")
    _check_known([name for name, _ in release.components], library.components, f"{place}: components")
    _check_known(release.framework_components, library.frameworks, f"{place}: framework-components")
    for framework, versions in release.framework_components.items():
        names = [name for name, _ in versions]
        _check_known(names, library.components, f"{place}: framework-components.{framework}")
    for kind in ("targets", "refused"):
        for index, row in enumerate(getattr(release, kind)):
            _check_known([row.framework], library.frameworks, f"{place}: {kind}[{index}].framework")
            _check_known(row.platforms, library.platforms, f"{place}: {kind}[{index}].platforms")


def _check_published(release: Release, place: str) -> None:
    for index, row in enumerate(release.published):
        here = f"{place}: published[{index}]"
        if (row.sha256 is None) == (not row.absent):
            raise RecipeError("expected sha256, or absent with the reason", place=here)
        if (row.sha256 is None) != (row.evidence is None):
            raise RecipeError("a digest states its evidence", place=here)
        if row.evidence is Evidence.DECLARED and not row.by:
            raise RecipeError(
                "evidence `declared` requires `by`", place=here, hint="say who published it: `by`"
            )


def _check_moments(release: Release, place: str) -> None:
    try:
        date.fromisoformat(release.date)
    except ValueError:
        raise RecipeError(
            f"{release.date!r} is not a day such as 2026-08-28", place=f"{place}: date"
        ) from None
    try:
        moment = datetime.strptime(release.exclude_newer, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise RecipeError(
            f"{release.exclude_newer!r} is not a moment such as 2026-08-29T00:00:00Z",
            place=f"{place}: exclude-newer",
        ) from None
    if moment.date() < date.fromisoformat(release.date):
        raise RecipeError("before the release itself", place=f"{place}: exclude-newer")

"""The effective recipe of one target: variants applied, placeholders filled, order settled.

Pure. Everything that a lock depends on, except what the indexes answer, is in
an EffectiveRecipe value, and its fingerprint is what makes a lock stale.

The order matters, and is always this:

1. The platform is complete already: `reading` filled its keys from the one it extends.
2. The framework must be offered here: its Pythons and its refusals are checked first.
3. Framework variants that hold are applied in the order of the file. Lists grow at their end,
   `env` is replaced key by key, OS packages are united.
4. Components: those of framework, platform and interpreter, and what they need, each after its
   needs. A component's version is the platform's, else the framework's own, else the release's.
5. Component variants that hold are applied in the order of the file; the last prefix and the last
   steps win, everything else is added.
6. Placeholders are filled last, with the prefix that the variants left.
7. Python pins: the release's `all`, then the framework's, then the version of each component for
   its family; a pin and a family that differ are an error (trap T2).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from builder.errors import NoSolutionError, RecipeError
from builder.lockfile import PROGRAMS_FOLDER, ROOTS, RUNTIME, Check, Patch
from builder.model import Arch, Sha256, SourceLine, Table, Target, check_source_line
from builder.recipe.build_systems import build_steps
from builder.recipe.catalogue_use import CatalogueFile, catalogue_files
from builder.recipe.component import (
    BuiltWheel,
    Component,
    ComponentVariant,
    DeviceCode,
    OsNeeds,
    PatchRecipe,
    VersionRecipe,
)
from builder.recipe.framework import Framework
from builder.recipe.library import Library
from builder.recipe.placeholders import PlaceholderValues, fill_placeholders, fill_steps
from builder.recipe.platform import Platform
from builder.recipe.release import Release
from builder.recipe.target_components import (
    TargetRecipes,
    applying_variants,
    choose_components,
    component_needs,
)

__all__ = [
    "EffectiveComponent",
    "EffectiveRecipe",
    "component_placeholders",
    "effective_recipe",
    "image_python",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveComponent:
    """One component as it is built for one target."""

    name: str
    version: str
    recipe: VersionRecipe
    license: str
    system: str
    prefix: str
    runtime: bool
    needs: tuple[str, ...]
    gpu_archs: tuple[str, ...]
    ptx: str
    env: Table
    patches: tuple[Patch, ...]
    steps: tuple[tuple[str, ...], ...]
    packages: OsNeeds
    wheels: tuple[BuiltWheel, ...]
    build_requires: tuple[str, ...]
    family: tuple[str, ...]
    library_path: tuple[str, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveRecipe:
    """All that one lock is made from."""

    target: Target
    release: Release
    platform: Platform
    framework: Framework
    parts: tuple[EffectiveComponent, ...]
    """Components that are built, each after what it needs."""
    published: tuple[tuple[str, str, str], ...]
    """Components that come as wheels: name, version, reason."""
    families: tuple[tuple[str, tuple[str, ...]], ...]
    """Components and the Python distributions that have their version."""
    roots: tuple[str, ...]
    """Python requirements, each pinned with `==`."""
    constraints: tuple[str, ...]
    env: Table
    packages: OsNeeds
    checks: tuple[Check, ...]
    catalogue: tuple[CatalogueFile, ...] = ()
    """What the catalogue of the installed package gave to it; empty in a project that stands alone."""
    catalogue_version: str = ""


def effective_recipe(library: Library, target: Target) -> EffectiveRecipe:
    """Return what `target` is made from (RecipeError, UsageError for unknown names).

    NoSolutionError where the framework is not offered on the platform.
    """
    release = library.release(target.release)
    platform = library.platform(target.platform)
    recipes = TargetRecipes(library=library, release=release, platform=platform, target=target)
    framework = library.framework(target.framework)
    _check_fit(framework, recipes)
    framework = _with_variants(framework, recipes)
    framework = dataclasses.replace(
        framework, checks=tuple(_framework_check(check, recipes) for check in framework.checks)
    )
    interpreter = (platform.interpreter,) if platform.interpreter else ()
    names = (*framework.components, *platform.components, *interpreter)
    components, published = choose_components(recipes, names)
    _check_families(components, platform.family, library)
    parts = tuple(_effective_component(recipes, component) for component in components)
    pins = _family_pins(recipes, [*components, *published])
    checks = (*framework.checks, *(check for part in parts for check in part.checks))
    return EffectiveRecipe(
        target=target,
        release=release,
        platform=platform,
        framework=framework,
        parts=parts,
        published=tuple(
            (component.name, recipes.version(component), recipes.source(component).reason)
            for component in published
        ),
        families=tuple((c.name, c.python.family) for c in (*components, *published)),
        roots=tuple(_pinned_root(root, pins, recipes) for root in sorted(set(framework.roots))),
        constraints=tuple(f"{name}=={version}" for name, version in pins),
        env=_framework_variables(recipes, framework),
        packages=framework.packages.get(platform.family, OsNeeds()),
        checks=framework.checks,
        catalogue=catalogue_files(
            recipes,
            built=components,
            published=published,
            pins=dict(pins),
            whole={
                **{check.program: check.sha256 for check in checks if check.sha256 is not None},
                **{f"patches/{row.file}": row.sha256 for part in parts for row in part.patches},
            },
        )
        if library.inherited
        else (),
        catalogue_version=library.catalogue_version,
    )


def _framework_variables(recipes: TargetRecipes, framework: Framework) -> Table:
    values = PlaceholderValues(words=Table(_platform_words(recipes.platform)))
    place = f"{recipes.library.place(f'frameworks/{framework.name}.toml')}: env"
    return Table(
        (key, fill_placeholders(value, values, place=f"{place}.{key}")) for key, value in framework.env
    )


def _platform_words(platform: Platform) -> dict[str, str]:
    return {
        "python": platform.python,
        "python-prefix": platform.python_prefix,
        "home": platform.home,
        "cuda": platform.cuda,
        "cuda-major": platform.cuda.partition(".")[0],
    }


def image_python(recipe: EffectiveRecipe) -> tuple[str, ...]:
    """Return the Python distributions of the runtime image that are used as they are, `name==version`."""
    if not recipe.platform.image_python:
        return ()
    images = recipe.platform.images.get(Arch(recipe.target.arch), ())
    return tuple(sorted(text for image in images if RUNTIME in image.roles for text in image.python))


def _check_fit(framework: Framework, recipes: TargetRecipes) -> None:
    platform = recipes.platform
    if framework.pythons and platform.python not in framework.pythons:
        raise NoSolutionError(
            f"{framework.name} supports Python {' and '.join(framework.pythons)}, "
            f"and {platform.name} has {platform.python}",
            place=str(recipes.target),
            hint="take a platform with one of these, or one that brings its own interpreter",
        )
    for row in framework.refused:
        if recipes.holds(row.when, recipes.condition_version):
            raise NoSolutionError(
                f"refused: {row.reason}",
                place=str(recipes.target),
                hint=f"see {recipes.library.place(f'frameworks/{framework.name}.toml')}: refused",
            )


def _check_families(components: Iterable[Component], family: str, library: Library) -> None:
    """Refuse components that name packages of other families only, all of them at once (RecipeError)."""
    lacking = [item.name for item in components if item.packages and family not in item.packages]
    if lacking:
        several = len(lacking) > 1
        first = library.place(f"components/{lacking[0]}.toml")
        who = f"components {', '.join(lacking)} have" if several else f"component {lacking[0]} has"
        raise RecipeError(
            f"{who} no packages for {family}",
            place="recipes/components" if several else f"{first}: packages",
            hint=f"add [packages.{family}]; leave it empty if it needs none",
        )


def _with_variants(framework: Framework, recipes: TargetRecipes) -> Framework:
    for variant in framework.variants:
        if not recipes.holds(variant.when, recipes.condition_version):
            continue
        packages = dict(framework.packages)
        for family, needs in variant.packages.items():
            packages[family] = _joined_os_needs([packages.get(family, OsNeeds()), needs])
        framework = dataclasses.replace(
            framework,
            components=framework.components + variant.components,
            roots=framework.roots + variant.roots,
            indexes=framework.indexes + variant.indexes,
            declared=framework.declared + variant.declared,
            env=framework.env.merged(variant.env),
            packages=packages,
            checks=framework.checks + variant.checks,
        )
    return framework


def _joined_os_needs(needs: Iterable[OsNeeds]) -> OsNeeds:
    listed = list(needs)
    return OsNeeds(
        build=tuple(sorted({name for need in listed for name in need.build})),
        run=tuple(sorted({name for need in listed for name in need.run})),
    )


def _effective_component(recipes: TargetRecipes, component: Component) -> EffectiveComponent:
    variants = applying_variants(recipes, component)
    version = recipes.version(component)
    place = recipes.library.place(f"components/{component.name}.toml")
    _check_described(recipes, component, version)
    component = _with_prefix(component, variants)
    gpu_archs, ptx = _device_code_archs(recipes, component, variants)
    values = component_placeholders(recipes, component)
    patches = component.patches + tuple(patch for v in variants for patch in v.patches)
    device_code = _device_code(component, variants)
    family = recipes.platform.family
    env = component.env
    for variant in variants:
        env = env.merged(variant.env)
    wheels = component.python.wheels + tuple(wheel for v in variants for wheel in v.wheels)
    requires = component.python.build_requires + tuple(r for v in variants for r in v.build_requires)
    library_path = component.library_path + tuple(path for v in variants for path in v.library_path)
    needs = tuple(need for need in component_needs(recipes, component) if _is_built(recipes, need))
    return EffectiveComponent(
        name=component.name,
        version=version,
        recipe=recipes.source(component),
        license=component.license,
        system=component.system,
        prefix=fill_placeholders(component.prefix, values, place=f"{place}: prefix"),
        runtime=component.runtime and bool(component.prefix),
        needs=needs,
        gpu_archs=gpu_archs if device_code else (),
        ptx=ptx if device_code else "",
        patches=tuple(_filled_patch(recipes.library, patch, place) for patch in patches),
        env=Table((key, fill_placeholders(value, values, place=f"{place}: env.{key}")) for key, value in env),
        steps=fill_steps(build_steps(component, variants), values, place=f"{place}: steps"),
        packages=_joined_os_needs(
            [
                component.packages.get(family, OsNeeds()),
                *(variant.packages.get(family, OsNeeds()) for variant in variants),
                OsNeeds(build=("patch",) if patches else ()),
            ]
        ),
        wheels=tuple(_filled_wheel(wheel, values, place) for wheel in wheels),
        build_requires=tuple(
            sorted(fill_placeholders(r, values, place=f"{place}: build-requires") for r in requires)
        ),
        family=component.python.family,
        library_path=tuple(
            fill_placeholders(path, values, place=f"{place}: library-path") for path in library_path
        ),
        checks=tuple(
            _filled_check(check, values, place, recipes.library)
            for check in component.checks + tuple(c for variant in variants for c in variant.checks)
        ),
    )


def _with_prefix(component: Component, variants: Iterable[ComponentVariant]) -> Component:
    for variant in variants:
        if variant.prefix is not None:
            component = dataclasses.replace(component, prefix=variant.prefix)
    return component


def component_placeholders(recipes: TargetRecipes, component: Component) -> PlaceholderValues:
    """Return what placeholders in a component's recipe stand for here, by its variants that hold."""
    variants = applying_variants(recipes, component)
    version = recipes.version(component)
    gpu_archs, ptx = _device_code_archs(recipes, component, variants)
    values = _placeholder_values(recipes, _with_prefix(component, variants), version)
    return dataclasses.replace(values, gpu_archs=gpu_archs, ptx=ptx)


def _check_described(recipes: TargetRecipes, component: Component, version: str) -> None:
    """Refuse an OS that no variant names, while they name others of its family (NoSolutionError).

    Such variants bring the packages, needs or edits that differ between the OSs: without them the build
    would miss libraries, and find out hours after locking.
    """
    family = recipes.platform.family
    of_family = {platform.os for platform in recipes.library.platforms.values() if platform.family == family}
    described = {
        variant.when.os
        for variant in component.variants
        if variant.when.os in of_family and recipes.holds(dataclasses.replace(variant.when, os=None), version)
    }
    if described and recipes.platform.os not in described:
        names = " and ".join(sorted(name for name in described if name))
        raise NoSolutionError(
            f"component {component.name} {version} is described for {names}, not for {recipes.platform.os}",
            place=f"{recipes.library.place(f'components/{component.name}.toml')}: variants",
            hint=f'add a variant: when = {{ os = "{recipes.platform.os}" }}, and what it needs there',
        )


def _device_code(component: Component, variants: Iterable[ComponentVariant]) -> DeviceCode | None:
    stated = [component.device_code, *(variant.device_code for variant in variants)]
    return next((code for code in reversed(stated) if code is not None), None)


def _device_code_archs(
    recipes: TargetRecipes, component: Component, variants: Iterable[ComponentVariant]
) -> tuple[tuple[str, ...], str]:
    """Return for which GPUs of the platform a component compiles, and whose PTX it has (RecipeError)."""
    archs = recipes.platform.gpu_archs
    code = _device_code(component, variants) or DeviceCode()
    place = f"{recipes.library.place(f'components/{component.name}.toml')}: device-code"
    if (code.supported or not code.ptx) and not code.reason:
        raise RecipeError("it is cut without a reason", place=place, hint="say why under `reason`")
    kept = tuple(arch for arch in archs if not code.supported or arch in code.supported)
    if archs and not kept:
        raise RecipeError(
            f"its source supports none of {', '.join(archs)}: {code.reason}",
            place=place,
            hint=f"add one of {', '.join(code.supported)} to gpu-archs of the platform",
        )
    return kept, kept[-1] if kept and code.ptx else ""


def _filled_patch(library: Library, patch: PatchRecipe, place: str) -> Patch:
    """Return a patch with its content, if that has the digest of the recipe (RecipeError)."""
    where = f"{place}: patches"
    file = library.place(f"patches/{patch.file}")
    data = library.patches.get(patch.file)
    if data is None:
        raise RecipeError(f"there is no {file}", place=where)
    digest = Sha256.of(data)
    if digest != patch.sha256:
        raise RecipeError(
            f"{file} has SHA-256 {digest}, the recipe says {patch.sha256}",
            place=where,
            hint="read what changed in the patch; if it is meant, write its digest into the recipe",
        )
    try:
        text = data.decode()
        lines = tuple(SourceLine(check_source_line(line)) for line in text.removesuffix("\n").split("\n"))
    except ValueError as error:
        raise RecipeError(f"{file}: {error}", place=where) from None
    if not text.endswith("\n"):
        raise RecipeError(f"{file} does not end in a line feed", place=where)
    return Patch(file=patch.file, sha256=digest, lines=lines)


def _is_built(recipes: TargetRecipes, need: str) -> bool:
    component = recipes.library.components[need]
    return need not in recipes.platform.provides and not recipes.source(component).published


def _filled_wheel(wheel: BuiltWheel, values: PlaceholderValues, place: str) -> BuiltWheel:
    return BuiltWheel(
        name=fill_placeholders(wheel.name, values, place=f"{place}: wheels"),
        version=fill_placeholders(wheel.version, values, place=f"{place}: wheels"),
        extras=wheel.extras,
        requires=tuple(fill_placeholders(text, values, place=f"{place}: wheels") for text in wheel.requires),
    )


def _framework_check(check: Check, recipes: TargetRecipes) -> Check:
    """Return a check of a framework; one that runs no program has no placeholders: Python has braces."""
    if not check.program:
        return check
    platform = recipes.platform
    words = {
        "python": platform.python,
        "cuda": platform.cuda,
        "cuda-major": platform.cuda.partition(".")[0],
        ROOTS.strip("{}"): ROOTS,  # rows fill it, when the lock is assembled
    }
    values = PlaceholderValues(words=Table(words), gpu_archs=platform.gpu_archs)
    place = recipes.library.place(f"frameworks/{recipes.target.framework}.toml")
    return dataclasses.replace(_filled_check(check, values, place, recipes.library), expect=check.expect)


def _filled_check(check: Check, values: PlaceholderValues, place: str, library: Library) -> Check:
    """Return a check with placeholders filled and its program's digest (RecipeError without the file)."""
    place = f"{place}: checks"
    words = dict(values.words)
    sha256 = None
    if check.program:
        sha256 = library.programs.get(check.program)
        if sha256 is None:
            known = ", ".join(sorted(library.programs)) or "none"
            raise RecipeError(
                f"{check.program!r} is not a program beside the recipes", place=place, hint=f"known: {known}"
            )
        words["program"] = f"{PROGRAMS_FOLDER}/{check.program_file}"
    filled = dataclasses.replace(values, words=Table(words))
    (run,) = fill_steps((check.run,), filled, place=place)
    expect = fill_placeholders(check.expect, filled, place=place)
    return dataclasses.replace(check, run=run, expect=expect, sha256=sha256)


def _placeholder_values(recipes: TargetRecipes, component: Component, version: str) -> PlaceholderValues:
    platform, arch = recipes.platform, Arch(recipes.target.arch)
    found = {
        "version": version,
        "prefix": component.prefix,
        "source": f"/src/{component.name}",
    }
    found |= _platform_words(platform)
    found |= {f"arch:{name}": token for name, token in arch.tokens()}
    found |= {f"prefix:{name}": other.prefix for name, other in recipes.library.components.items()}
    return PlaceholderValues(words=Table(found))


def _family_pins(recipes: TargetRecipes, components: list[Component]) -> tuple[tuple[str, str], ...]:
    """Return every equality that the recipes demand, sorted by distribution."""
    release = recipes.release
    pins: dict[str, str] = {}
    for group in ("all", *reversed(recipes.framework_names)):
        pins |= dict(release.python.get(group, Table()))
    place = recipes.library.place(f"releases/{release.version}.toml")
    families = [(c.name, recipes.version(c), c.python.family) for c in components]
    for component, version, family in families:
        for distribution in family:
            stated = pins.setdefault(distribution, version)
            if stated != version:
                raise RecipeError(
                    f"{distribution} is pinned to {stated}, but component {component} is {version}",
                    place=f"{place}: python",
                    hint="the component's version binds its family: remove the pin or align the two",
                )
    return tuple(sorted(pins.items()))


def _pinned_root(root: str, pins: tuple[tuple[str, str], ...], recipes: TargetRecipes) -> str:
    """Return a root as an exact requirement; RecipeError where nothing pins it (trap T4)."""
    name = root.partition("[")[0].strip()
    version = dict(pins).get(name)
    if version is None:
        place = recipes.library.place(f"releases/{recipes.release.version}.toml")
        raise RecipeError(
            f"root {root!r} has no version",
            place=f"{place}: python.{recipes.target.framework}",
            hint=f'add `{name} = "…"`: roots are pinned exactly (trap T4)',
        )
    return f"{root}=={version}"

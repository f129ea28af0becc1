"""From an effective recipe and the resolved rows of its environments to a lock. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from operator import attrgetter

from packaging.version import Version

from builder.errors import FetchError, NoSolutionError
from builder.lockfile import (
    RECIPE,
    ROOTS,
    RUNTIME,
    Archive,
    Build,
    CatalogueUse,
    Environment,
    GitSource,
    Image,
    Lock,
    OsPackage,
    PythonPackage,
    Repository,
    Runtime,
    catalogue_digest,
    filled_expectation,
    row_key,
    summary_digest,
)
from builder.model import Arch, Evidence, Table
from builder.recipe.build_environments import check_build_environments
from builder.recipe.effective import EffectiveComponent, EffectiveRecipe
from builder.recipe.freshness import fingerprint
from builder.recipe.platform import ImageRecipe, RepositoryRecipe

__all__ = ["assemble_lock", "check_architecture_skew", "image_rows", "merge_os", "merge_rows", "missing_pins"]


def assemble_lock(
    recipe: EffectiveRecipe,
    *,
    python: Iterable[PythonPackage],
    os_packages: Iterable[OsPackage],
    repositories: tuple[Repository, ...],
    resolver: str,
    before: CatalogueUse | None = None,
) -> Lock:
    """Return the lock of `recipe`.

    `before` is what an older lock took from the catalogue: if that still holds, it stays as it was written.

    FetchError says which pins the recipes lack, RecipeError which program a build's environment lacks.
    """
    missing = missing_pins(recipe)
    if missing:
        raise FetchError(
            f"not locked, because pins are missing: {'; '.join(missing)}",
            hint="fill them with `python -m builder pin` on a machine that can reach the sources",
        )
    inputs = fingerprint(recipe)
    rows = merge_rows(python)
    lock = Lock(
        format=1,
        release=recipe.target.release,
        framework=recipe.target.framework,
        arch=Arch(recipe.target.arch),
        platform=recipe.target.platform,
        recipe_digest=summary_digest(inputs),
        source_date_epoch=_source_date_epoch(recipe),
        exclude_newer=recipe.release.exclude_newer,
        resolver=resolver,
        environment=_lock_environment(recipe),
        runtime=_lock_runtime(recipe, rows),
        inputs=inputs,
        catalogue=_catalogue_use(recipe, inputs, before),
        images=image_rows(recipe),
        repositories=repositories,
        sources=tuple(sorted((row for part in recipe.parts for row in _source_rows(part)), key=row_key)),
        archives=tuple(
            sorted((row for part in recipe.parts for row in _archive_rows(recipe, part)), key=row_key)
        ),
        python=tuple(sorted(rows, key=row_key)),
        os_packages=merge_os(os_packages),
        builds=tuple(_build_row(recipe, part) for part in recipe.parts),
    )
    check_build_environments(lock)
    return lock


def _catalogue_use(
    recipe: EffectiveRecipe, inputs: Table, before: CatalogueUse | None
) -> CatalogueUse | None:
    """Return what the lock took from the catalogue; another version alone changes nothing."""
    digest = catalogue_digest(inputs)
    if digest is None:
        return None
    found = CatalogueUse(version=recipe.catalogue_version, digest=digest)
    return before if before and replace(before, version=found.version) == found else found


def missing_pins(recipe: EffectiveRecipe) -> tuple[str, ...]:
    """Return the inputs of `recipe` that are neither hashed by us nor pinned with who published them."""
    found = []
    for part in recipe.parts:
        git = part.recipe.git
        if git is not None:
            found += [
                f"{part.name} {part.version}: git.{key}"
                for key in ("tree", "sha256")
                if getattr(git, key) is None
            ]
    platform = recipe.platform
    arch = Arch(recipe.target.arch)
    images = platform.images.get(arch, ())
    if not images and not platform.assembled.get(arch):
        found.append(f"platform {platform.name}: base for {arch}, a published image or an assembled one")
    elif images:
        roles = {role for image in images for role in image.roles}
        wanted = [role for role in ("build", RUNTIME) if role not in roles]
        found += [f"platform {platform.name}: {role} image for {arch}" for role in wanted]
        found += [
            f"platform {platform.name}: digest of the image {image.name}:{image.tag} for {arch}"
            for image in images
            if image.digest is None
        ]
        found += [
            f"platform {platform.name}: inventory of {image.name}:{image.tag} for {arch}"
            for image in images
            if not image.inventory and platform.repositories
        ]
    if platform.image_python:
        found += [
            f"platform {platform.name}: Python distributions of {image.name}:{image.tag} for {arch}"
            for image in images
            if RUNTIME in image.roles and not image.python
        ]
    found += [
        f"platform {platform.name}: {pin}"
        for repository in platform.repositories
        for pin in _missing_index(repository, arch, platform.family)
    ]
    return tuple(found)


def _missing_index(repository: RepositoryRecipe, arch: Arch, family: str) -> tuple[str, ...]:
    """Return which pins of signed package indexes a repository lacks."""
    if family != "rpm":
        return (f"InRelease of {repository.suite}",) if repository.inrelease is None else ()
    path = () if repository.path else (f"path of the repository {repository.suite}",)
    pinned = any(row.arch == arch for row in repository.repomd)
    return path if pinned else (*path, f"repomd.xml of {repository.suite} for {arch}")


def _source_date_epoch(recipe: EffectiveRecipe) -> int:
    day = date.fromisoformat(recipe.release.date)
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _lock_environment(recipe: EffectiveRecipe) -> Environment:
    platform = recipe.platform
    return Environment(
        family=platform.family,
        os=platform.os,
        glibc=platform.glibc,
        python=platform.python,
        interpreter=platform.interpreter,
        python_prefix=platform.python_prefix,
        cuda=platform.cuda,
        gpu_archs=platform.gpu_archs,
    )


def _lock_runtime(recipe: EffectiveRecipe, rows: tuple[PythonPackage, ...]) -> Runtime:
    framework = recipe.framework
    paths = [path for part in recipe.parts if part.runtime for path in part.library_path]
    return Runtime(
        env=recipe.env,
        library_path=tuple(dict.fromkeys(paths)),
        user=recipe.platform.user,
        home=recipe.platform.home,
        writable=(recipe.platform.home, f"{recipe.platform.home}/.cache"),
        entrypoint=framework.entrypoint,
        command=framework.command,
        downloads=framework.downloads,
        checks=tuple(
            replace(check, run=_with_roots(check.run, rows), expect=filled_expectation(check.expect, rows))
            for check in recipe.checks
        ),
    )


def _with_roots(run: tuple[str, ...], rows: Iterable[PythonPackage]) -> tuple[str, ...]:
    """Return a command with the exact versions of roots and of what is built here, in place of ROOTS."""
    asked = [row for row in rows if RUNTIME in row.for_ and (RECIPE in row.via or row.build)]
    versions = tuple(sorted(f"{row.name}=={row.version}" for row in asked))
    return tuple(word for argument in run for word in (versions if argument == ROOTS else (argument,)))


def image_rows(recipe: EffectiveRecipe) -> tuple[Image, ...]:
    """Return the base images of `recipe`, assembled or published."""
    platform, arch = recipe.platform, Arch(recipe.target.arch)
    tar = platform.assembled.get(arch)
    if tar:
        name = f"{platform.os}-base"
        return (Image(roles=("build", RUNTIME), name=name, tar=tar, evidence=Evidence.OBSERVED),)
    return tuple(_image_row(image) for image in platform.images.get(arch, ()))


def _image_row(image: ImageRecipe) -> Image:
    return Image(
        roles=image.roles,
        name=image.name,
        tag=image.tag,
        digest=image.digest,
        index_digest=image.index_digest,
        evidence=image.evidence,
        by=image.by,
        inventory=tuple(sorted(image.inventory)),
        inventory_by=image.inventory_by,
        python=tuple(sorted(image.python)),
        python_by=image.python_by,
    )


def _source_rows(part: EffectiveComponent) -> list[GitSource]:
    git = part.recipe.git
    if git is None or git.tree is None or git.sha256 is None:
        return []
    return [
        GitSource(
            component=part.name,
            version=part.version,
            git=git.url,
            tag=git.tag,
            reason=git.reason,
            commit=git.commit,
            tree=git.tree,
            sha256=git.sha256,
            evidence=git.evidence,
            submodules=tuple(sorted(git.submodules, key=lambda submodule: submodule.path)),
            omitted=tuple(sorted(git.omitted)),
        )
    ]


def _archive_rows(recipe: EffectiveRecipe, part: EffectiveComponent) -> list[Archive]:
    arch = Arch(recipe.target.arch)
    return [
        Archive(
            component=part.name,
            version=part.version,
            file=archive.file,
            sha256=archive.sha256,
            origin=archive.origin,
            path=archive.path,
            size=archive.size,
            evidence=archive.evidence,
            by=archive.by,
        )
        for archive in part.recipe.archives
        if not archive.arches or arch in archive.arches
    ]


def _build_row(recipe: EffectiveRecipe, part: EffectiveComponent) -> Build:
    return Build(
        component=part.name,
        version=part.version,
        license=part.license,
        system=part.system,
        prefix=part.prefix,
        runtime=part.runtime,
        needs=part.needs,
        archives=tuple(sorted(row.file for row in _archive_rows(recipe, part))),
        wheels=tuple(sorted(wheel.name for wheel in part.wheels)),
        gpu_archs=part.gpu_archs,
        ptx=part.ptx,
        env=part.env,
        patches=part.patches,
        steps=part.steps,
        checks=part.checks,
    )


def merge_rows(rows: Iterable[PythonPackage]) -> tuple[PythonPackage, ...]:
    """Put the rows of several environments together: equal bytes become one row.

    Rows are the same where name, version, file, digest, place and build agree; their environments, extras and
    askers are united. NoSolutionError for one file name with two digests (trap T10).
    """
    merged: dict[tuple[str, ...], PythonPackage] = {}
    for row in rows:
        key = (row.name, row.version, row.file, row.sha256 or "", row.origin, row.path, row.build)
        known = merged.get(key)
        merged[key] = _joined_rows(known, row) if known else row
    ordered = tuple(merged[key] for key in sorted(merged))
    _check_files(ordered)
    return ordered


def _joined_rows(one: PythonPackage, other: PythonPackage) -> PythonPackage:
    return replace(
        one,
        for_=tuple(sorted({*one.for_, *other.for_})),
        extras=tuple(sorted({*one.extras, *other.extras})),
        via=tuple(sorted({*one.via, *other.via})),
    )


def _check_files(rows: tuple[PythonPackage, ...]) -> None:
    seen: dict[str, PythonPackage] = {}
    for row in rows:
        other = seen.setdefault(row.file, row) if row.file else row
        if other.sha256 != row.sha256:
            raise NoSolutionError(
                f"{row.file} is two different files:\n  {_described_file(other)}\n  {_described_file(row)}",
                hint="let every environment take it from the same index",
            )


def _described_file(row: PythonPackage) -> str:
    return f"sha256 {row.sha256} on {row.origin}, for {', '.join(row.for_)}"


def merge_os(rows: Iterable[OsPackage]) -> tuple[OsPackage, ...]:
    """Join rows of several environments: equal packages become one row with all its uses and askers."""
    same: dict[object, list[OsPackage]] = {}
    for row in rows:
        same.setdefault(_package_identity(row), []).append(row)
    return tuple(sorted(map(_joined_uses, same.values()), key=row_key))


_package_identity = attrgetter(
    *(field.name for field in fields(OsPackage) if field.name not in {"for_", "via"})
)


def _joined_uses(group: list[OsPackage]) -> OsPackage:
    uses = tuple(sorted({name for row in group for name in row.for_}))
    askers = tuple(sorted({name for row in group for name in row.via}))
    first = group[0]
    return first if (first.for_, first.via) == (uses, askers) else replace(first, for_=uses, via=askers)


def check_architecture_skew(rows: Mapping[Arch, Iterable[PythonPackage]], *, place: str = "") -> None:
    """Raise NoSolutionError where a root of the runtime depends on the architecture, naming each version.

    A local part (`2.8.0+cu129`) names a build of a version, which may exist for one architecture only.
    """
    found: dict[str, dict[Arch, str]] = {}
    for arch in sorted(rows):
        for row in rows[arch]:
            if RUNTIME in row.for_ and RECIPE in row.via:
                found.setdefault(row.name, {})[arch] = row.version
    for name, versions in sorted(found.items()):
        if len({Version(version).public for version in versions.values()}) > 1:
            shown = ", ".join(f"{version} on {arch}" for arch, version in versions.items())
            raise NoSolutionError(
                f"{name} would not be the same on every architecture: {shown}",
                place=place,
                hint=f"bind {name} to one version that has wheels for all of them, "
                "or raise the glibc floor of the platform",
            )

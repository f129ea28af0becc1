"""OS packages of an RPM target: dnf's closure for each environment, as rows."""

from __future__ import annotations

from builder.errors import BuilderError
from builder.fetch import Session
from builder.lockfile import RUNTIME, OsPackage, Repository
from builder.model import Arch, Sha256
from builder.recipe import Effective, ImageRecipe, Library, os_requests
from builder.resolve.rpm.archive import RpmArchive, open_rpm_archive
from builder.resolve.rpm.closure import Choice, resolve

__all__ = ["resolve_rpm"]


def resolve_rpm(
    recipe: Effective, *, library: Library, session: Session
) -> tuple[tuple[Repository, ...], tuple[OsPackage, ...]]:
    """Return the repositories and the OS package rows of every environment of `recipe`."""
    arch = Arch(recipe.target.arch)
    archive = open_rpm_archive(recipe.platform.repositories, arch, library=library, session=session)
    images = recipe.platform.images.get(arch, ())
    rows: list[OsPackage] = []
    for environment, names in sorted(os_requests(recipe).items()):
        try:
            chosen = resolve(archive.universe(_lines(images, environment)), names)
            rows += [_row(choice, environment, archive) for choice in chosen]
        except BuilderError as error:
            raise error.within(f"OS packages for {environment}") from None
    return archive.repositories, tuple(rows)


def _lines(images: tuple[ImageRecipe, ...], environment: str) -> tuple[str, ...]:
    role = RUNTIME if environment == RUNTIME else "build"
    return tuple(line for image in images if role in image.roles for line in image.inventory)


def _row(choice: Choice, environment: str, archive: RpmArchive) -> OsPackage:
    return OsPackage(
        name=choice.name,
        version=choice.version,
        arch=choice.arch,
        file=archive.file(choice.label, choice.location),
        size=choice.size,
        sha256=Sha256(choice.sha256),
        origin=archive.origin(choice.label),
        for_=(environment,),
        via=choice.via,
    )

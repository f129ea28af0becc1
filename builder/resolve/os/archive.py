"""The protocol of a pinned archive of OS packages, with the moment at which it was pinned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from builder.errors import RecipeError
from builder.lockfile import RUNTIME, Repository
from builder.recipe import ImageRecipe, RepositoryRecipe

__all__ = [
    "OsArchive",
    "PackageChoice",
    "PackagePlan",
    "image_inventory",
    "pinned_moment",
    "snapshot_stamp",
    "utc_rfc3339",
    "utc_text",
]


def pinned_moment(repository: RepositoryRecipe) -> datetime:
    """Return the aware moment at which a repository was pinned; RecipeError if `at` does not name one."""
    try:
        moment = datetime.fromisoformat(repository.at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RecipeError(
            f"{repository.at!r} is not a moment such as 2026-11-22T18:00:00Z",
            place=f"repository {repository.suite}: at",
        )
    return moment


def snapshot_stamp(moment: datetime) -> str:
    """Return an aware moment as Debian's snapshot service writes it: 20261122T180000Z."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def utc_rfc3339(moment: datetime) -> str:
    """Return an aware moment as recipes and locks write it: 2026-11-22T18:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_text(moment: datetime) -> str:
    """Return an aware moment as messages write it: 2026-11-22 18:00:00 UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChoice:
    """One package to install or upgrade: its identity, its file, and who asks for it.

    `version` has the epoch if there is one; `filename` is the path that the
    index called `index` states; `size` is in bytes.
    """

    name: str
    version: str
    arch: str
    filename: str
    size: int
    sha256: str
    index: str
    needs: tuple[str, ...]
    """The packages, of the same answer or installed, that meet its dependencies; sorted."""
    because: tuple[str, ...]
    """Who asks for it besides the packages that need it; sorted.

    `recipe` if it is requested, `required` if the distribution puts it into
    every base, the packages for whose sake it is upgraded; can be empty.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePlan:
    """What the distribution's package manager would do for a request.

    It installs or upgrades `choices` and removes `removals` (name, version).
    Both are sorted.
    """

    choices: tuple[PackageChoice, ...]
    removals: tuple[tuple[str, str], ...]


class OsArchive(Protocol):
    """The pinned repositories of a platform for one architecture, opened: signatures and dates are checked.

    Each family of platforms has one; `resolve.os_packages` chooses it. An
    answer follows from `identity` and the arguments alone, so it can be kept.
    """

    @property
    def repositories(self) -> tuple[Repository, ...]:
        """The rows of the lock that name what was opened."""

    def identity(self) -> tuple[object, ...]:
        """Return, as values that JSON can hold, all that a choice follows from besides the arguments."""

    def assembled_base(self, extra: tuple[str, ...]) -> tuple[PackageChoice, ...]:
        """Return the packages of a base of our own: what the distribution requires, and `extra`.

        NoSolutionError if they do not fit together; RecipeError if the family
        has no such base.
        """

    def closure(self, inventory: tuple[str, ...], requests: tuple[str, ...]) -> tuple[PackageChoice, ...]:
        """Return what must be installed for `requests` on a base of `inventory` (`name=version`), by name.

        NoSolutionError explains with both sides why nothing can be, also if
        an installed package would have to go: a base image only grows.
        """

    def address(self, choice: PackageChoice) -> tuple[str, str]:
        """Return the origin of a package's file, and its path below it; FetchError outside the origin."""


def image_inventory(images: Iterable[ImageRecipe], environment: str) -> tuple[str, ...]:
    """Return the installed packages (`name=version`) of the image that `environment` stands on."""
    role = RUNTIME if environment == RUNTIME else "build"
    return tuple(line for image in images if role in image.roles for line in image.inventory)

"""The same image on every architecture: roots must not differ (trap T4). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from packaging.version import Version

from builder.errors import NoSolutionError
from builder.lockfile import RECIPE, RUNTIME, PythonPackage
from builder.model import Arch

__all__ = ["check_skew"]


def check_skew(rows: Mapping[Arch, Iterable[PythonPackage]], *, place: str = "") -> None:
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

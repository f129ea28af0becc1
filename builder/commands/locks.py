"""Which existing locks a command is about."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.version import InvalidVersion, Version

from builder.errors import BuilderError, UsageError
from builder.model import Arch, Target
from builder.project import Project, locked
from builder.selection import Selection

__all__ = ["locked_targets", "select_image", "select_locks"]


def locked_targets(project: Project) -> tuple[Target, ...]:
    """Return what the lock folder has locks of, sorted."""
    found = (_target(path) for path, _ in locked(project))
    return tuple(sorted(target for target in found if target is not None))


def select_locks(project: Project, selection: Selection) -> tuple[Target, ...]:
    """Return the locked targets that are selected, sorted; without a release, those of the default one."""
    targets = list(locked_targets(project))
    if not selection.releases:
        release = _default_release(project, targets)
        targets = [target for target in targets if target.release == release]
    chosen = tuple(sorted(target for target in targets if selection.holds(target)))
    if not chosen:
        raise UsageError(
            "no lock is selected",
            place=str(project.locks),
            hint="run `python -m builder lock`, or name another --release, --platform or --framework",
        )
    return chosen


def select_image(project: Project, selection: Selection) -> tuple[Target, ...]:
    """Return the locks of one image, one an architecture: one release, one platform, one framework.

    Without a platform the first that the release's recipe lists is meant, so
    that the recommended one is what a bare command renders.
    """
    chosen = select_locks(project, selection)
    frameworks = sorted({target.framework for target in chosen})
    if len(frameworks) > 1:
        raise UsageError(
            f"several frameworks are locked: {', '.join(frameworks)}",
            place="--framework",
            hint=f"name one, such as --framework {frameworks[0]}",
        )
    releases = sorted({target.release for target in chosen})
    if len(releases) > 1:
        raise UsageError(f"several releases are selected: {', '.join(releases)}", place="--release")
    platforms = sorted({target.platform for target in chosen})
    platform = platforms[0] if len(platforms) == 1 else _default_platform(project, chosen[0], platforms)
    return tuple(target for target in chosen if target.platform == platform)


def _target(path: str) -> Target | None:
    release, platform, name = path.removesuffix(".toml").split("/")
    framework, _, arch = name.rpartition("-")
    if arch not in [item.value for item in Arch]:
        return None
    return Target(release=release, platform=platform, framework=framework, arch=Arch(arch))


def _default_release(project: Project, targets: Sequence[Target]) -> str:
    """Return the recipes' default release, or where there are no recipes the newest that is locked."""
    try:
        return project.library().default_release.version
    except BuilderError:
        return max((target.release for target in targets), key=_version, default="")


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        return Version("0")


def _default_platform(project: Project, target: Target, platforms: list[str]) -> str:
    try:
        release = project.library().release(target.release)
    except BuilderError:
        release = None
    for row in release.targets if release else ():
        for platform in row.platforms:
            if row.framework == target.framework and platform in platforms:
                return platform
    raise UsageError(
        f"several platforms are locked: {', '.join(platforms)}",
        place="--platform",
        hint=f"name one, such as --platform {platforms[0]}",
    )

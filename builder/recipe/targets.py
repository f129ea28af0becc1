"""Which targets a command is about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from builder.errors import NoSolutionError, UsageError
from builder.model import Arch, Target
from builder.recipe.library import Library
from builder.recipe.release import Release, TargetRefusal
from builder.selection import ALL, Selection, check_names

__all__ = ["check_refused", "lockable_targets", "target_refusal"]


def lockable_targets(library: Library, selection: Selection) -> tuple[Target, ...]:
    """Return the selected targets, sorted; every value that is named is of at least one of them.

    Without a release the default one is meant. A platform that is named and is
    in no list of the release is taken for all frameworks and architectures
    that are named with it, so that a try ends in its reason. A name that has
    refused targets only takes these, and they end in their reason too.
    UsageError for a name without a recipe, NoSolutionError for one that no release lists or refuses.
    """
    check_names(selection, library.target_names)
    releases = _selected_releases(library, selection)
    listed = {
        target for release in releases for target in _listed_targets(release) if selection.holds(target)
    }
    refused = {
        target
        for release in releases
        for target in _refused_targets(release, library)
        if selection.holds(target)
    }
    for release in releases:
        covered = {target.platform for target in (*listed, *refused) if target.release == release.version}
        for platform in selection.platforms:
            if platform not in covered:
                listed.update(_tried_targets(release, platform, library, selection))
    for single in selection.single_values() if not selection.is_empty else [selection]:
        if not any(map(single.holds, listed)):
            found = {target for target in refused if single.holds(target)} or {
                target
                for release, platform in product(releases, single.platforms)
                for target in _tried_targets(release, platform, library, single)
            }
            if not any(map(single.holds, found)):
                raise _nothing_selected_error(single, releases)
            listed |= found
    return tuple(sorted(listed))


def _nothing_selected_error(
    selection: Selection, releases: Iterable[Release]
) -> NoSolutionError | UsageError:
    versions = [release.version for release in releases]
    if selection.is_empty:
        hint = "see the targets in recipes/releases, or name --release, --platform, --framework, --arch"
        return UsageError(f"no target is selected: {', '.join(versions)} lists none", hint=hint)
    cause = f"no target matches: {', '.join(versions)} neither lists nor refuses it"
    hint = (
        "name a --platform to try it, or add the target to recipes/releases/"
        f"{versions[0] if len(versions) == 1 else 'VERSION'}.toml"
    )
    return NoSolutionError(cause, place=str(selection) or "recipes/releases", hint=hint)


def _selected_releases(library: Library, selection: Selection) -> list[Release]:
    if not selection.releases:
        return [library.default_release]
    if ALL in selection.releases:
        return [library.releases[version] for version in sorted(library.own_releases)]
    return [library.release(version) for version in selection.releases]


def _listed_targets(release: Release) -> Iterator[Target]:
    for row in release.targets:
        yield from _target_product(release, row.framework, row.platforms, row.arches)


def _refused_targets(release: Release, library: Library) -> Iterator[Target]:
    for row in release.refused:
        yield from _target_product(
            release, row.framework, row.platforms or tuple(library.platforms), row.arches or tuple(Arch)
        )


def _target_product(
    release: Release, framework: str, platforms: Iterable[str], arches: Iterable[Arch]
) -> Iterator[Target]:
    for platform, arch in product(platforms, arches):
        yield Target(release=release.version, platform=platform, framework=framework, arch=arch)


def target_refusal(release: Release, target: Target) -> TargetRefusal | None:
    """Return why a release refuses `target`, if it does."""
    return next((row for row in release.refused if row.holds(target)), None)


def _tried_targets(
    release: Release, platform: str, library: Library, selection: Selection
) -> Iterable[Target]:
    frameworks = selection.frameworks or tuple(sorted(library.frameworks))
    for framework in frameworks:
        yield from _target_product(release, framework, (platform,), selection.arches or tuple(Arch))


def check_refused(library: Library, target: Target) -> None:
    """Refuse what the release's recipe refuses (NoSolutionError)."""
    release = library.release(target.release)
    refused = target_refusal(release, target)
    if refused is not None and not refused.unreached and refused.trap != "T3":
        # T3 is left to the resolver: the wheels themselves say it.
        trap = f" (trap {refused.trap})" if refused.trap else ""
        raise NoSolutionError(
            f"refused{trap}: {refused.reason}",
            place=str(target),
            hint=f"see {library.place(f'releases/{release.version}.toml')}: refused",
        )

"""Which version is newer, by the ecosystem's own order, and how big the step is."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import zip_longest

from packaging.version import InvalidVersion, Version

from builder.diff.accelerator import accelerators_of_version
from builder.diff.risk import Risk

__all__ = ["Order", "calendar", "debian", "order_of", "pep440", "rpm", "upstream"]

Order = Callable[[str, str], Risk]
"""From two different versions to their risk; an unknown order is a DOWNGRADE.

Another accelerator counts more than any order, and a newer version that is a
pre-release is PRERELEASE. What remains is DOWNGRADE, MAJOR, MINOR or PATCH.
"""

_LONGEST = 500
"""Characters; longer texts are no versions, and slow to compare."""
_PRERELEASE = re.compile(
    r"[~._+-](?:alpha|beta|rc|pre|dev|preview|snapshot|nightly|milestone|m\d+)(?![a-z])"
    r"|(?<=\d)(?:alpha|beta|rc)\d+(?![a-z])",
    re.IGNORECASE,
)
"""How versions that are not Python's mark a pre-release: 2.0~rc1-1 in Debian and RPM, v2.0-rc.1 in tags."""
_BEFORE = re.compile(r"~(?!(?:bpo|deb|dfsg|ds|really|repack|ubuntu))[a-z0-9]+", re.IGNORECASE)
"""What sorts before the version that it is named after, in Debian's and RPM's order: 2.1~git20240101, 2.1~b1.

Not what marks a rebuild for an older suite (~bpo12, ~deb12u1) or another tarball (~dfsg).
"""


def pep440(before: str, after: str) -> Risk:
    """Judge two versions of a Python distribution."""
    try:
        old, new = _pep440_version(before), _pep440_version(after)
    except InvalidVersion:
        return Risk.DOWNGRADE
    if accelerators_of_version(before) != accelerators_of_version(after):
        return Risk.ACCELERATOR
    if new <= old:
        return Risk.PATCH if new == old else Risk.DOWNGRADE
    if new.is_prerelease:
        return Risk.PRERELEASE
    return _step_risk((old.epoch, *old.release), (new.epoch, *new.release))


def debian(before: str, after: str) -> Risk:
    """Judge two versions of a Debian package."""
    from debian.debian_support import NativeVersion  # noqa: PLC0415 - not every comparison needs it

    if max(len(before), len(after)) > _LONGEST:
        return Risk.DOWNGRADE
    try:
        old, new = NativeVersion(before), NativeVersion(after)
    except ValueError:
        return Risk.DOWNGRADE
    if accelerators_of_version(before) != accelerators_of_version(after):
        return Risk.ACCELERATOR
    if new <= old:
        return Risk.PATCH if new == old else Risk.DOWNGRADE
    if _PRERELEASE.search(after) or _BEFORE.search(new.upstream_version or ""):
        return Risk.PRERELEASE
    return _step_risk(
        _version_numbers(old.epoch, old.upstream_version), _version_numbers(new.epoch, new.upstream_version)
    )


def rpm(before: str, after: str) -> Risk:
    """Judge two versions of an RPM package, each `epoch:version-release`."""
    import solv  # noqa: PLC0415 - not every comparison needs it

    if max(len(before), len(after)) > _LONGEST:
        return Risk.DOWNGRADE
    pool = solv.Pool()
    pool.setdisttype(solv.Pool.DISTTYPE_RPM)
    repository = pool.add_repo("versions")
    old, new = repository.add_solvable(), repository.add_solvable()
    old.evr, new.evr = before, after
    if accelerators_of_version(before) != accelerators_of_version(after):
        return Risk.ACCELERATOR
    order = new.evrcmp(old)
    if order <= 0:
        return Risk.PATCH if order == 0 else Risk.DOWNGRADE
    if _PRERELEASE.search(after) or _BEFORE.search(after.rpartition("-")[0]):
        return Risk.PRERELEASE
    return _step_risk(_rpm_numbers(before), _rpm_numbers(after))


def upstream(before: str, after: str) -> Risk:
    """Judge two versions of a component, or two tags: by PEP 440 where both fit, else in Debian's order."""
    try:
        _pep440_version(before), _pep440_version(after)
    except InvalidVersion:
        return debian(before, after)
    return pep440(before, after)


def calendar(before: str, after: str) -> Risk:
    """Judge two dates or time stamps of one form; later is an upgrade."""
    return Risk.PATCH if before <= after else Risk.DOWNGRADE


def order_of(family: str) -> Order:
    """Return the order of a platform family's OS packages; where it is not known, nothing is newer."""
    return {"debian": debian, "rpm": rpm}.get(family, _unknown_order)


def _unknown_order(_before: str, _after: str) -> Risk:
    return Risk.DOWNGRADE


def _pep440_version(text: str) -> Version:
    if len(text) > _LONGEST:
        raise InvalidVersion(text[:_LONGEST])
    return Version(text)


def _rpm_numbers(version: str) -> tuple[int, ...]:
    epoch, colon, rest = version.partition(":")
    return _version_numbers(epoch if colon and epoch.isdecimal() else None, rest if colon else version)


def _version_numbers(epoch: str | None, version: str | None) -> tuple[int, ...]:
    found = re.match(r"[0-9]+(\.[0-9]+)*", version or "")
    return (int(epoch or 0), *map(int, found[0].split(".") if found else ()))


def _step_risk(old: tuple[int, ...], new: tuple[int, ...]) -> Risk:
    """Say which number is the first to differ: the epoch and the first are major, the next is minor."""
    for index, (left, right) in enumerate(zip_longest(old, new, fillvalue=0)):
        if left != right:
            return Risk.MAJOR if index <= 1 else Risk.MINOR if index == 2 else Risk.PATCH
    return Risk.PATCH

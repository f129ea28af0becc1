"""What our locks of one release hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from builder.lockfile import RUNTIME, Lock
from builder.matrix import cuda_of
from builder.model import Arch

__all__ = ["Held", "held"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One release, locked; empty where there is no lock of it."""

    versions: Mapping[str, tuple[str, ...]]
    """By distribution or component: every version in an image, sorted."""
    pythons: tuple[str, ...]
    arches: tuple[Arch, ...]
    cuda: Mapping[str, tuple[str, ...]]
    """By framework: the CUDA of its libraries."""
    capabilities: tuple[str, ...]
    systems: tuple[str, ...]
    """Distributions, such as `debian-13`."""

    def shown(self, names: Iterable[str]) -> str:
        """Return the versions of the first of `names` that is held, as text."""
        return next((", ".join(self.versions[name]) for name in names if name in self.versions), "")


def held(locks: Iterable[Lock], frameworks: Iterable[str] = ()) -> Held:
    """Return what `locks`, all of one release, hold; with `frameworks` only those."""
    chosen = frozenset(frameworks)
    versions: dict[str, set[str]] = {}
    cuda: dict[str, set[str]] = {}
    mine = [lock for lock in locks if not chosen or lock.framework in chosen]
    for lock in mine:
        rows = [(row.name, row.version) for row in lock.python if RUNTIME in row.for_]
        rows += [(build.component, build.version) for build in lock.builds]
        for name, version in rows:
            versions.setdefault(name, set()).add(version)
        if found := cuda_of(lock) or lock.environment.cuda:
            cuda.setdefault(lock.framework, set()).add(found)
    return Held(
        versions={name: tuple(sorted(found)) for name, found in versions.items()},
        pythons=tuple(sorted({lock.environment.python for lock in mine})),
        arches=tuple(sorted({lock.arch for lock in mine})),
        cuda={name: tuple(sorted(found)) for name, found in cuda.items()},
        capabilities=tuple(sorted({arch for lock in mine for arch in lock.environment.gpu_archs})),
        systems=tuple(sorted({lock.environment.os for lock in mine})),
    )

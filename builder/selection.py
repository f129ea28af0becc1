"""Which targets are meant."""

from __future__ import annotations

from dataclasses import dataclass

from builder.model import Arch, Target

__all__ = ["ALL", "Selection"]

ALL = "all"
"""The word that selects every release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the command line names; empty means no restriction."""

    releases: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    frameworks: tuple[str, ...] = ()
    arches: tuple[Arch, ...] = ()

    def holds(self, target: Target) -> bool:
        """Say whether `target` is selected."""
        return (
            (not self.releases or ALL in self.releases or target.release in self.releases)
            and (not self.platforms or target.platform in self.platforms)
            and (not self.frameworks or target.framework in self.frameworks)
            and (not self.arches or target.arch in self.arches)
        )

"""What a lock is made for: architecture, release, platform, framework.

The table of architecture names is the only place in the project that knows
how each ecosystem spells an architecture (trap T11).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from packaging.version import InvalidVersion, Version

__all__ = ["Arch", "Target", "release_order"]


class Arch(StrEnum):
    """A processor architecture; recipes and locks know these two names only."""

    X86_64 = "x86_64"
    AARCH64 = "aarch64"

    @property
    def debian(self) -> str:
        """Debian's and Go's name, also the value of BuildKit's TARGETARCH."""
        return {"x86_64": "amd64", "aarch64": "arm64"}[self.value]

    @property
    def rpm(self) -> str:
        """RPM's name; packages for every architecture are `noarch`."""
        return self.value

    @property
    def oci(self) -> str:
        """The platform string of images and of `docker buildx build --platform`."""
        return f"linux/{self.debian}"

    @property
    def gnu_triple(self) -> str:
        """Debian's multi-arch directory below /usr/lib."""
        return f"{self.value}-linux-gnu"

    @property
    def rust_triple(self) -> str:
        """The target of Rust's tool chain."""
        return f"{self.value}-unknown-linux-gnu"

    @property
    def protoc(self) -> str:
        """The token in protoc's archive names."""
        return {"x86_64": "x86_64", "aarch64": "aarch_64"}[self.value]

    @property
    def cuda(self) -> str:
        """The token of NVIDIA's toolkit packages for servers."""
        return {"x86_64": "x86_64", "aarch64": "sbsa"}[self.value]

    def tokens(self) -> tuple[tuple[str, str], ...]:
        """Return the names that a recipe may use as `{arch:NAME}`, sorted."""
        return (
            ("cuda", self.cuda),
            ("debian", self.debian),
            ("gnu", self.gnu_triple),
            ("kernel", self.value),
            ("protoc", self.protoc),
            ("rpm", self.rpm),
            ("rust", self.rust_triple),
        )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Target:
    """One thing to lock."""

    release: str
    platform: str
    framework: str
    arch: Arch

    def __str__(self) -> str:
        return f"{self.release}/{self.platform}/{self.framework}-{self.arch}"

    @property
    def path(self) -> str:
        """The place of its lock below the lock folder, with forward slashes."""
        return f"{self}.toml"

    @classmethod
    def of_path(cls, path: str) -> Target | None:
        """Return the target whose `path` the last three parts of `path` are; None where they are none's."""
        parts = path.removesuffix(".toml").split("/")[-3:]
        framework, _, arch = parts[-1].rpartition("-")
        if len(parts) != 3 or not framework or arch not in [item.value for item in Arch]:
            return None
        return cls(release=parts[0], platform=parts[1], framework=framework, arch=Arch(arch))


def release_order(release: str) -> Version:
    """Return by what releases are sorted: their version; a name that is not a version comes first."""
    try:
        return Version(release)
    except InvalidVersion:
        return Version("0")

"""What a Python resolution is asked: plain values made from recipes."""

from __future__ import annotations

from dataclasses import dataclass, field

from packaging.utils import canonicalize_name

from builder.model import Arch, Sha256, Table

__all__ = ["ALL", "PYPI", "Declared", "NamedIndex", "PythonRequest", "StandIn"]

PYPI = "pypi"
"""The origin of files that the default index lists."""

ALL = ("*",)
"""The value of `upgrade` that drops every existing pin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """A distribution that does not come as a published wheel; its requirements count all the same."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    """Requirement strings, as its metadata will state them."""
    build: str = ""
    """The build that makes its wheel; empty for one that an image provides, which then gets no row."""
    provides_extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedIndex:
    """An extra index, used for exactly these distributions and for no other (trap T10)."""

    name: str
    """The origin that rows from it name."""
    url: str
    """Of its simple API."""
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A wheel that may be out of reach: somebody published its hash, and its metadata is written down."""

    name: str
    version: str
    file: str
    sha256: Sha256
    origin: str
    by: str
    """Who published the hash."""
    path: str = ""
    requires: tuple[str, ...] = ()
    provides_extra: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonRequest:
    """One environment of one target."""

    environment: str
    """`runtime`, or the name of the build whose requirements these are."""
    roots: tuple[str, ...]
    """Requirement strings, each bound by `==` (trap T4)."""
    arch: Arch
    glibc: str
    """The lowest glibc the wheels will meet, such as `2.41`."""
    python: str
    """The interpreter's minor version, such as `3.13`."""
    exclude_newer: str
    """RFC 3339 in UTC: files uploaded at or after it do not exist."""
    constraints: tuple[str, ...] = ()
    stand_ins: tuple[StandIn, ...] = ()
    declared: tuple[Declared, ...] = ()
    indexes: tuple[NamedIndex, ...] = ()
    accelerator: tuple[str, ...] = ()
    """Distributions that must be builds for the major version of `cuda` where it is given (trap T3)."""
    accelerator_hint: str = ""
    """Where builds with CUDA are to be had, for the message."""
    cuda: str = ""
    """The target's CUDA version, or empty."""
    preferences: tuple[tuple[str, str], ...] = ()
    """Existing pins, (name, version): kept where they still fit."""
    upgrade: tuple[str, ...] = ()
    """Names whose existing pins are dropped, or `ALL`."""
    aliases: Table = field(default_factory=Table)
    """Component name to the distribution it provides, for messages and for roots written with the former."""

    @property
    def given(self) -> tuple[StandIn | Declared, ...]:
        """Everything whose metadata is written down instead of published in a wheel."""
        return (*self.stand_ins, *self.declared)

    def component_of(self, distribution: str) -> str:
        """Return the component that provides `distribution`, or an empty text."""
        wanted = canonicalize_name(distribution)
        return next((key for key, value in self.aliases if canonicalize_name(value) == wanted), "")

    def index_of(self, distribution: str) -> NamedIndex | None:
        """Return the extra index that `distribution` must come from, if there is one."""
        wanted = canonicalize_name(distribution)
        for index in self.indexes:
            if wanted in {canonicalize_name(name) for name in index.packages}:
                return index
        return None

    def described(self) -> str:
        """Return the target in words, for messages."""
        return f"{self.environment} on {self.arch} (Python {self.python}, glibc {self.glibc})"

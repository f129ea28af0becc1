"""Framework recipes: what an image contains, whatever it stands on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.lockfile import Check
from builder.model import Arch, Sha256, Table
from builder.recipe.component import OsNeeds, TargetConditions

__all__ = ["DeclaredWheel", "Framework", "FrameworkRefusal", "FrameworkVariant", "PythonIndex"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonIndex:
    """An extra package index, used for the distributions it names and for no other (trap T10)."""

    name: str
    """The origin that rows from it name."""
    url: str
    """Of its simple API."""
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredWheel:
    """A wheel that may be out of reach: its hash is published, its metadata is written down here."""

    name: str
    version: str
    file: str
    sha256: Sha256
    origin: str
    by: str
    """Who published the hash."""
    path: str = ""
    requires: tuple[str, ...] = ()
    arch: Arch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkVariant:
    """What is added to a framework when its conditions hold."""

    when: TargetConditions
    components: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    env: Table = field(default_factory=Table)
    packages: Mapping[str, OsNeeds] = field(default_factory=dict)
    indexes: tuple[PythonIndex, ...] = ()
    declared: tuple[DeclaredWheel, ...] = ()
    checks: tuple[Check, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkRefusal:
    """Where a framework is not offered, whatever the release: what holds for it there, and what to take."""

    when: TargetConditions
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """What an image contains."""

    name: str
    summary: str
    license: str
    roots: tuple[str, ...]
    """Python distributions, with extras but without versions: those are the release's."""
    extends: str = ""
    """Another framework, whose keys, pins and component versions hold here too.

    Lists have its items first, tables are joined key by key, and of anything else the own value wins.
    """
    replaces: bool = False
    """In a project: whether this file takes the place of the catalogue's file of the same name."""
    components: tuple[str, ...] = ()
    indexes: tuple[PythonIndex, ...] = ()
    declared: tuple[DeclaredWheel, ...] = ()
    accelerated: tuple[str, ...] = ()
    """Distributions that must be CUDA builds on every platform (trap T3).

    torch must be one wherever the platform or another row brings CUDA, whether it is listed or not.
    """
    accelerated_hint: str = ""
    """Where CUDA builds of them are published, for the message."""
    pythons: tuple[str, ...] = ()
    """The interpreters that its engine supports, such as `3.12`; empty means any."""
    env: Table = field(default_factory=Table)
    packages: Mapping[str, OsNeeds] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    downloads: tuple[str, ...] = ()
    """What it may still download or compile at run time, each a sentence (trap T9)."""
    checks: tuple[Check, ...] = ()
    variants: tuple[FrameworkVariant, ...] = ()
    refused: tuple[FrameworkRefusal, ...] = ()

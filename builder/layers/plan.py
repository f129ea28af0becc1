"""The layers that one lock plans for its image, each with a digest of all that decides its content. Pure.

* the base, and the OS packages on it
* the Python environment itself, without a distribution
* every wheel of 20 MB or more alone, because its bytes are most of an image and other images have it too
* every component alone: its prefix, and in a layer of its own the wheels that it makes
* all other wheels in eight buckets, by a hash of their name, so that a changed pin touches one of them
* the linker's cache, which depends on what the others hold
* the image's user and its folders

Engines stop at 127 layers. Beyond `LAYER_LIMIT` components move into the buckets, those first whose
downloaded sources are smallest; a large wheel never does, since no other image would then share it.

A layer's key is a digest of what its content depends on. Equal keys mean equal content, as far as the
steps of the build are deterministic; other keys mostly mean other content, but a build may give the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from builder.lockfile import (
    BASE,
    INSTALLER,
    RUNTIME,
    Build,
    Lock,
    OsPackage,
    PythonPackage,
    row_label,
)
from builder.model import Sha256, unstructure

__all__ = ["LARGE_WHEEL", "LAYER_LIMIT", "Layer", "LayerKind", "LayerPlan", "plan_layers"]

LARGE_WHEEL = 20_000_000
"""From this size on, in bytes, a wheel has a layer of its own: 92 % of the bytes of a vLLM image."""

LAYER_LIMIT = 60
"""Layers that a plan has at most, as long as its large wheels leave room: overlayfs stops at 127."""

_BUCKETS = 8


class LayerKind(StrEnum):
    """What a layer is made of."""

    BASE = "base"
    OS = "OS packages"
    ENVIRONMENT = "Python environment"
    WHEEL = "wheel"
    COMPONENT = "component"
    BUCKET = "bucket"
    LINKER = "linker cache"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer of a plan."""

    name: str
    """Such as `wheel torch`: the same for every version, so that two plans can be laid side by side."""
    kind: LayerKind
    rows: tuple[str, ...]
    """Labels of the rows that it holds."""
    key: Sha256
    """Digest of all that its content depends on."""
    size: int = 0
    """Bytes of the files that the lock names and the layer holds, as they are downloaded."""
    open_rows: int = 0
    """How many of its rows have no size before something is built or pulled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """The layers of one image, from the bottom to the top."""

    layers: tuple[Layer, ...]

    def layer_of(self, label: str) -> Layer | None:
        """Return the layer that holds the row `label`."""
        return next((layer for layer in self.layers if label in layer.rows), None)


def plan_layers(lock: Lock) -> LayerPlan:
    """Return the plan of `lock`."""
    builds = _BuildKeys(lock)
    wheels = [row for row in lock.python if RUNTIME in row.for_ and not row.build]
    large = [row for row in wheels if (row.size or 0) >= LARGE_WHEEL]
    small = [row for row in wheels if (row.size or 0) < LARGE_WHEEL]
    components = [build for build in lock.builds if build.runtime and build.prefix]
    makers = _wheel_makers(lock)
    bottom = [*_base_layers(lock), *_environment_layers(lock, builds)]
    top = [*_linker_layers(lock, builds), *_user_layers(lock)]
    used = len(bottom) + len(top) + len(large) + len(makers) + len({_bucket_of(row.name) for row in small})
    alone = _components_alone(lock, components, room=LAYER_LIMIT - used)
    shared = [build for build in components if build not in alone]
    return LayerPlan(
        layers=(
            *bottom,
            *(_component_layer(build, builds) for build in alone),
            *(_wheel_layer(lock, f"wheel {row.name}", LayerKind.WHEEL, [row]) for row in large),
            *_bucket_layers(lock, small, shared, builds),
            *(_made_wheel_layer(lock, name, rows, builds) for name, rows in makers.items()),
            *top,
        )
    )


def _digest_of(*facts: object) -> Sha256:
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return Sha256(hashlib.sha256(text.encode()).hexdigest())


def _base_layers(lock: Lock) -> Iterator[Layer]:
    images = [image for image in lock.images if RUNTIME in image.roles]
    base = [row for row in lock.os_packages if BASE in row.for_]
    key = _digest_of("base", [str(image.digest or image.tar) for image in images])
    yield Layer(
        name="base",
        kind=LayerKind.BASE,
        rows=(*map(row_label, images), *map(row_label, base)),
        key=key,
        size=sum(row.size for row in base),
        open_rows=sum(1 for image in images if image.digest),
    )
    own = [row for row in lock.os_packages if RUNTIME in row.for_ and BASE not in row.for_]
    if own:
        yield Layer(
            name="OS packages",
            kind=LayerKind.OS,
            rows=tuple(map(row_label, own)),
            key=_digest_of("os", key, _file_identities(own)),
            size=sum(row.size for row in own),
        )


def _environment_layers(lock: Lock, builds: _BuildKeys) -> Iterator[Layer]:
    if any(RUNTIME in row.for_ for row in lock.python):
        yield Layer(
            name="Python environment",
            kind=LayerKind.ENVIRONMENT,
            rows=(),
            key=_digest_of("environment", _installation_facts(lock), builds.interpreter),
        )


def _linker_layers(lock: Lock, builds: _BuildKeys) -> Iterator[Layer]:
    """Yield the cache: it names the libraries of prefixes, OS packages and, if listed, of wheels."""
    folders = lock.runtime.library_path
    if not folders:
        return
    prefix = f"{lock.environment.python_prefix}/"
    named = [row for row in lock.python if RUNTIME in row.for_ and _is_listed(row, folders, prefix)]
    components = [builds.key(build) for build in lock.builds if build.runtime and build.prefix]
    own = [row for row in lock.os_packages if RUNTIME in row.for_ or BASE in row.for_]
    yield Layer(
        name="linker cache",
        kind=LayerKind.LINKER,
        rows=(),
        key=_digest_of("linker", folders, components, _file_identities(own), _file_identities(named)),
    )


def _user_layers(lock: Lock) -> Iterator[Layer]:
    runtime = lock.runtime
    if runtime.user:
        key = _digest_of("user", runtime.user, runtime.home, runtime.writable)
        yield Layer(name="user", kind=LayerKind.USER, rows=(), key=key)


def _is_listed(row: PythonPackage, folders: tuple[str, ...], prefix: str) -> bool:
    """Whether a folder of the library path is one that NVIDIA's wheels install libraries into.

    Which wheel fills such a folder is not in a lock; all of theirs share the package `nvidia`.
    """
    return row.name.startswith("nvidia-") and any(
        folder.startswith(prefix) and "/nvidia/" in folder for folder in folders
    )


def _component_layer(build: Build, builds: _BuildKeys) -> Layer:
    return Layer(
        name=f"component {build.component}",
        kind=LayerKind.COMPONENT,
        rows=(row_label(build),),
        key=builds.key(build),
        open_rows=1,
    )


def _wheel_makers(lock: Lock) -> dict[str, list[PythonPackage]]:
    """Return the builds whose wheels are in the image, each with the rows of these."""
    makers: dict[str, list[PythonPackage]] = {}
    for row in lock.python:
        if row.build and RUNTIME in row.for_:
            makers.setdefault(row.build, []).append(row)
    return makers


def _made_wheel_layer(lock: Lock, name: str, rows: list[PythonPackage], builds: _BuildKeys) -> Layer:
    key = _digest_of("made wheels", _installation_facts(lock), builds.named(name), [row.name for row in rows])
    return Layer(
        name=f"wheels of {name}",
        kind=LayerKind.COMPONENT,
        rows=tuple(map(row_label, rows)),
        key=key,
        open_rows=len(rows),
    )


def _wheel_layer(lock: Lock, name: str, kind: LayerKind, rows: list[PythonPackage]) -> Layer:
    return Layer(
        name=name,
        kind=kind,
        rows=tuple(map(row_label, rows)),
        key=_digest_of("wheels", _installation_facts(lock), _file_identities(rows)),
        size=sum(row.size or 0 for row in rows),
        open_rows=sum(1 for row in rows if row.size is None),
    )


def _bucket_layers(
    lock: Lock, small: list[PythonPackage], shared: list[Build], builds: _BuildKeys
) -> Iterator[Layer]:
    for number in range(_BUCKETS):
        wheels = [row for row in small if _bucket_of(row.name) == number]
        inside = [build for build in shared if _bucket_of(build.component) == number]
        layer = _wheel_layer(lock, f"bucket {number + 1}", LayerKind.BUCKET, wheels)
        if not inside:
            if wheels:
                yield layer
            continue
        yield Layer(
            name=layer.name,
            kind=layer.kind,
            rows=(*layer.rows, *map(row_label, inside)),
            key=_digest_of("bucket", layer.key, [builds.key(build) for build in inside]),
            size=layer.size,
            open_rows=layer.open_rows + len(inside),
        )


def _bucket_of(name: str) -> int:
    """Return the bucket of a name: of the name alone, so that no other row moves it."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % _BUCKETS


def _components_alone(lock: Lock, components: list[Build], *, room: int) -> list[Build]:
    """Return the components that keep a layer of their own where only `room` of them can."""
    if len(components) <= room:
        return components
    room -= _BUCKETS  # a bucket that no wheel needs may now be there for components
    archives = {row.file: row.size for row in lock.archives}
    from_git = {row.component for row in lock.sources}

    def weight(build: Build) -> tuple[bool, int, str]:
        sizes = [archives.get(file) for file in build.archives]
        unknown = build.component in from_git or None in sizes
        return unknown, sum(size or 0 for size in sizes), build.component

    ranked = sorted(components, key=weight, reverse=True)
    kept = {build.component for build in ranked[: max(room, 0)]}
    return [build for build in components if build.component in kept]


def _installation_facts(lock: Lock) -> tuple[object, ...]:
    """Return what an installed wheel depends on beside its bytes: Python, prefix and installer."""
    installers = [row for row in lock.python if INSTALLER in row.for_]
    return lock.environment.python, lock.environment.python_prefix, _file_identities(installers)


def _file_identities(rows: Iterable[PythonPackage | OsPackage]) -> list[tuple[str, ...]]:
    return sorted((row.name, row.version, str(row.sha256 or ""), getattr(row, "build", "")) for row in rows)


class _BuildKeys:
    """The keys of the builds of one lock, each of all that the build reads and of what it needs."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._builds = {build.component: build for build in lock.builds}
        self._keys: dict[str, Sha256] = {}

    @property
    def interpreter(self) -> str:
        """The key of the build that brings Python; empty where OS packages do."""
        name = self._lock.environment.interpreter
        return self.named(name) if name in self._builds else ""

    def named(self, component: str) -> Sha256:
        """Return the key of a component's build."""
        return self.key(self._builds[component])

    def key(self, build: Build) -> Sha256:
        """Return the key of a build."""
        known = self._keys.get(build.component)
        if known is None:
            known = self._keys[build.component] = _digest_of("build", *self._build_facts(build))
        return known

    def _build_facts(self, build: Build) -> Iterator[object]:
        lock, name = self._lock, build.component
        yield unstructure(build)
        yield [str(image.digest or image.tar) for image in lock.images if "build" in image.roles]
        yield [_source_identity(row) for row in lock.sources if row.component == name]
        yield [(row.file, row.sha256) for row in lock.archives if row.file in build.archives]
        yield _file_identities(row for row in lock.os_packages if name in row.for_)
        yield _file_identities(row for row in lock.python if name in row.for_)
        yield _installation_facts(lock) if any(name in row.for_ for row in lock.python) else ""
        yield lock.source_date_epoch  # compilers may write it into what they make
        yield [self.named(need) for need in build.needs]


def _source_identity(row: Any) -> tuple[str, str]:
    return row.version, row.sha256

"""Which layer of an image is what: OS packages, the folder of a build, the Python environment. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from builder.lockfile import PYTHON_FOLDER, Lock
from builder.model import ImageFiles

__all__ = ["LayerStack", "stack_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStack:
    """Layers by what they hold; each folder of a build is copied by one layer of its own."""

    system: frozenset[int]
    python: frozenset[int]
    prefixes: Mapping[str, frozenset[int]]

    def prefix(self, path: str) -> frozenset[int]:
        """Return the layers that may hold `path` because a build installs it; none for any other path."""
        for folder, layers in self.prefixes.items():
            if path.startswith(f"{folder}/"):
                return layers
        return frozenset()


def stack_of(lock: Lock, image: ImageFiles) -> LayerStack:
    """Find the layers of `image`: a folder's own is the first that holds nothing but files below it."""
    folders = [build.prefix.removeprefix("/") for build in lock.builds if build.runtime and build.prefix]
    own = {folder: _layers_of_folder(folder, image) for folder in (*folders, PYTHON_FOLDER.removeprefix("/"))}
    first = min((layer for layers in own.values() for layer in layers), default=len(image.layers))
    python = own.pop(PYTHON_FOLDER.removeprefix("/"))
    return LayerStack(system=frozenset(range(first)), python=python, prefixes=own)


def _layers_of_folder(folder: str, image: ImageFiles) -> frozenset[int]:
    for layer, paths in enumerate(image.layers):
        if paths and all(path.startswith(f"{folder}/") for path in paths):
            return frozenset({layer})
    return frozenset()

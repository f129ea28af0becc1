"""The integrity of where Python comes from: the distribution, a build, or an image with what it holds."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from builder.lockfile.lock import RUNTIME, Lock

__all__ = ["interpreter_findings"]


def interpreter_findings(lock: Lock) -> Iterator[str]:
    """Yield what is wrong with the interpreter and what comes with it, as one sentence each."""
    yield from _interpreter(lock)
    yield from _image_python(lock)


def _image_python(lock: Lock) -> Iterator[str]:
    """Yield what is wrong with the Python distributions that an image brings: none may be installed again."""
    rows = {row.name: row.version for row in lock.python if RUNTIME in row.for_}
    for image in lock.images:
        if image.python and (RUNTIME not in image.roles or not image.python_by):
            yield f"images: {image.name}: Python distributions need the role {RUNTIME} and who listed them"
        if list(image.python) != sorted(set(image.python)):
            yield f"images: {image.name}: its Python distributions are not sorted and unique"
        for text in image.python:
            name, _, version = text.partition("==")
            if not version or canonicalize_name(name) != name:
                yield f"images: {image.name}: {text} is not a normalised name, == and a version"
            if name in rows:
                yield f"python: {name} {rows[name]} would be installed over {version} of image {image.name}"


def _interpreter(lock: Lock) -> Iterator[str]:
    """Yield what is wrong where a build brings Python: the image and every environment must have it."""
    name = lock.environment.interpreter
    if not name:
        return
    found = next((build for build in lock.builds if build.component == name), None)
    if found is None or not found.prefix or not found.runtime:
        yield f"environment: interpreter {name} is no build whose prefix is in the image"
    users = {use for row in lock.python for use in row.for_}
    for build in lock.builds:
        if build.component in users and name not in build.needs:
            yield f"builds: {build.component} has a Python environment and does not need {name}"

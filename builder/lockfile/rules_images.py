"""Rules of images: one for each role, identified by digest or tar, with what it brings. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from builder.lockfile.labels import LockSection, row_label
from builder.lockfile.lock import BASE, RUNTIME, Image, Lock
from builder.lockfile.rule import Fault, LockRule

__all__ = ["IMAGE_RULES"]

_ROLES = ("build", RUNTIME)


def _role_faults(lock: Lock) -> Iterator[Fault]:
    unknown = [(image, role) for image in lock.images for role in image.roles if role not in _ROLES]
    for image, role in unknown:
        yield Fault(row=row_label(image), text=f"{role!r} is not a role")
    for role in _ROLES:
        count = sum(role in image.roles for image in lock.images)
        if count != 1 and not unknown:
            text = f"{count} images have the role {role}, expected one"
            yield Fault(row=LockSection.IMAGES, text=text)


def _identity_faults(lock: Lock) -> Iterator[Fault]:
    yield from (
        Fault(row=row_label(image), text=text) for image in lock.images for text in _identity_texts(image)
    )


def _identity_texts(image: Image) -> Iterator[str]:
    if (image.digest is None) == (image.tar is None):
        yield "expected either digest or tar"
    elif image.digest is not None and not image.tag:
        yield "a digest needs its tag beside it"
    elif image.digest is None and (image.index_digest or image.tag):
        yield "only a published image has a tag and an index"


def _inventory_faults(lock: Lock) -> Iterator[Fault]:
    yield from (
        Fault(row=row_label(image), text=text) for image in lock.images for text in _inventory_texts(image)
    )


def _inventory_texts(image: Image) -> Iterator[str]:
    if image.tar is not None and image.inventory:
        yield "an assembled base has os-packages, not an inventory"
    lines = set(image.inventory)
    malformed = sorted(line for line in lines if not all(line.partition("=")[::2]))
    yield from (f"inventory: {line!r} is not name=version" for line in malformed)
    if not malformed and len({line.partition("=")[0] for line in lines}) != len(lines):
        yield "inventory has a package in two versions"


def _base_package_faults(lock: Lock) -> Iterator[Fault]:
    for image in lock.images:
        if image.tar and not any(BASE in row.for_ for row in lock.os_packages):
            yield Fault(row=row_label(image), text=f"an assembled base needs os-packages for {BASE}")


def _image_python_faults(lock: Lock) -> Iterator[Fault]:
    for image in lock.images:
        if image.python and (RUNTIME not in image.roles or not image.python_by):
            text = f"Python distributions need the role {RUNTIME} and who listed them"
            yield Fault(row=row_label(image), text=text)
        for distribution in image.python:
            name, _, version = distribution.partition("==")
            if not version or canonicalize_name(name) != name:
                text = f"{distribution} is not a normalised name, == and a version"
                yield Fault(row=row_label(image), text=text)


def _installed_over_faults(lock: Lock) -> Iterator[Fault]:
    rows = {row.name: row for row in lock.python if RUNTIME in row.for_}
    for image in lock.images:
        for distribution in image.python:
            name, _, version = distribution.partition("==")
            if name in rows:
                text = f"it would be installed over {version} of image {image.name}"
                yield Fault(row=row_label(rows[name]), text=text)


IMAGE_RULES = (
    LockRule(
        id="image-roles",
        says="One image has the role build, and one the role runtime.",
        stops=True,
        why="no Dockerfile begins without them",
        finds=_role_faults,
    ),
    LockRule(
        id="image-identity",
        says="An image is published (digest and tag) or assembled (tar), never both.",
        stops=True,
        why="which bytes are meant is not determined",
        finds=_identity_faults,
    ),
    LockRule(
        id="image-inventory",
        says="A published image lists its OS packages, each `name=version` and once.",
        stops=True,
        why="the closure of OS packages stands on it",
        finds=_inventory_faults,
    ),
    LockRule(
        id="base-packages",
        says="An assembled base has the packages that it is made of.",
        stops=True,
        why="nobody could make its tar",
        finds=_base_package_faults,
    ),
    LockRule(
        id="image-python",
        says="Python distributions of the runtime image are `name==version`, and somebody listed them.",
        stops=True,
        why="evidence without a publisher is none",
        finds=_image_python_faults,
    ),
    LockRule(
        id="installed-over",
        says="Nothing is installed over a Python distribution of the image.",
        stops=True,
        why="which one is imported is not determined",
        finds=_installed_over_faults,
    ),
)
"""The rules of images, causes before consequences."""

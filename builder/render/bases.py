"""Stages of the base images: published ones by digest, and our own, assembled from locked packages."""

from __future__ import annotations

from builder.errors import LockError
from builder.lockfile import RUNTIME, Image, Lock
from builder.model import Sha256
from builder.render.addresses import Addresses
from builder.render.assembled import configure_base
from builder.render.fetches import FetchItem, single, store_path, verify
from builder.render.instructions import SCRATCH, Copy, Mount, Unpack
from builder.render.quoting import shown
from builder.render.stages import EPOCH, Stage

__all__ = ["base_stages"]


def base_stages(lock: Lock, addresses: Addresses) -> tuple[tuple[Stage, ...], dict[str, str]]:
    """Return the stages of the base images, and the stage of each role."""
    stages: list[Stage] = []
    roles: dict[str, str] = {}
    made: dict[object, str] = {}
    for role in ("build", RUNTIME):
        found = [image for image in lock.images if role in image.roles]
        if len(found) != 1:
            raise LockError(f"images: {len(found)} images have the role {role}, expected one")
        image = found[0]
        identity = (image.digest, image.tar)
        if identity not in made:
            made[identity] = f"base-{lock.arch}" if _same_for_all(lock) else f"base-{role}-{lock.arch}"
            stages += _published_base_stage(image, made[identity], lock, addresses)
        roles[role] = made[identity]
    return tuple(stages), roles


def _same_for_all(lock: Lock) -> bool:
    return len({(image.digest, image.tar) for image in lock.images}) == 1


def _published_base_stage(image: Image, name: str, lock: Lock, addresses: Addresses) -> tuple[Stage, ...]:
    if (image.digest is None) == (image.tar is None):
        raise LockError(f"images: {shown(image.name)} needs either a digest or a tar")
    note = f"images: {image.name}{f', tag {image.tag}' if image.tag else ''}, for {' and '.join(image.roles)}"
    if image.tar is None:
        return (Stage(name=name, base=addresses.image_reference(image), notes=(note,)),)
    return _assembled_base_stages(image.tar, name, lock, note)


def _assembled_base_stages(tar: Sha256, name: str, lock: Lock, note: str) -> tuple[Stage, ...]:
    """Return the stages of a base of our own, which ends up as one layer.

    Its packages are unpacked in the tar and configured by their own dpkg; only
    a tar of the main build context is unpacked by BuildKit.
    """
    arch = str(lock.arch)
    role = name.removesuffix(f"-{arch}")
    (held,) = single(f"{role}-tar", arch, f"{note}: its tar", [FetchItem(file="base.tar", sha256=tar)])
    mount = Mount(stage=held.name, target="/base")
    configured = Stage(
        name=f"{role}-configured-{arch}",
        base=SCRATCH,
        notes=(f"{note}: its os-packages, unpacked in the tar, are configured",),
        body=(
            Unpack(source=store_path(tar)),
            EPOCH,
            configure_base(lock.environment.family, before=(verify(mount.target),), mounts=(mount,)),
        ),
    )
    whole = Copy(stage=configured.name, source="/", target="/")
    return (held, configured, Stage(name=name, base=SCRATCH, notes=(note,), body=(whole,)))

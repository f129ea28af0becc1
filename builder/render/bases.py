"""Stages of the base images: published ones by digest, and our own, assembled from locked packages.

The tar of a base of our own (`builder.rootfs.rootfs`) is what dpkg would have
unpacked, its database included, and no maintainer script has run. Its second
stage configures the packages here, inside it, in dpkg's order: every preinst as
for a first installation, and then dpkg's own configuration of everything. dpkg
then checks its records and every file against the packages' own checksums: a
file that a diversion should have moved would show here.
"""

from __future__ import annotations

from builder.errors import LockError
from builder.lockfile import RUNTIME, Image, Lock
from builder.model import Sha256
from builder.render.fetches import Addresses, FetchItem, single, store_path, verify
from builder.render.instructions import SCRATCH, Copy, Mount, Run, Unpack
from builder.render.quoting import Command, Verbatim, shown
from builder.render.stages import EPOCH, Stage

__all__ = ["base_stages", "configure_base"]


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


# dpkg itself has no command that runs a preinst alone. Folder, files and variables are those that it would
# provide (debconf reads tmp.ci to learn whose questions it keeps); the home is set because an unconfigured
# system has no list of users from which it could be known.
_SCRIPT = r"""
export DEBCONF_NONINTERACTIVE_SEEN=true DEBIAN_FRONTEND=noninteractive HOME=/root LC_ALL=C
umask 022
for script in /var/lib/dpkg/info/*.preinst; do
  name="$(basename "$script" .preinst)"
  arch="$(dpkg-query --show --showformat='${Architecture}' "$name")"
  mkdir /var/lib/dpkg/tmp.ci
  dpkg-query --status "$name" > /var/lib/dpkg/tmp.ci/control
  cp "$script" /var/lib/dpkg/tmp.ci/preinst
  [ ! -e "${script%.preinst}.templates" ] || \
    cp "${script%.preinst}.templates" /var/lib/dpkg/tmp.ci/templates
  env DPKG_ADMINDIR=/var/lib/dpkg DPKG_ROOT= \
    DPKG_MAINTSCRIPT_ARCH="$arch" DPKG_MAINTSCRIPT_NAME=preinst \
    DPKG_MAINTSCRIPT_PACKAGE="${name%:*}" DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 \
    /var/lib/dpkg/tmp.ci/preinst install
  rm -r /var/lib/dpkg/tmp.ci
done
dpkg --configure --pending
found="$(dpkg --audit && dpkg --verify)" || found="${found:-dpkg cannot check itself}"
[ -z "$found" ] || { printf '%s\n' "$found" >&2; exit 1; }
"""
_CONFIGURE: tuple[Command, ...] = tuple((Verbatim(text),) for text in _SCRIPT.strip().splitlines())

# Logs and caches hold times; the backups are of states that no build returns to.
_BASE_CLEAN_UP: tuple[Command, ...] = (
    (
        "rm",
        "-f",
        "/var/cache/ldconfig/aux-cache",
        Verbatim("/var/cache/debconf/*-old"),
        Verbatim("/var/lib/dpkg/*-old"),
        "/var/log/alternatives.log",
        "/var/log/dpkg.log",
    ),
)


def configure_base(family: str, *, before: tuple[Command, ...] = (), mounts: tuple[Mount, ...] = ()) -> Run:
    """Return what turns an unpacked base of our own into a configured one, after the commands `before`.

    LockError for a family of operating systems whose packages are not Debian's.
    """
    if family != "debian":
        raise LockError(f"a base of the family {family[:40]!a} cannot be assembled by this version")
    return Run(commands=(*before, *_CONFIGURE, *_BASE_CLEAN_UP), mounts=mounts)

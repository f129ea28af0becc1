"""The second stage of a base of our own: its packages are unpacked, and are configured here, inside it.

The tar (`builder.rootfs.rootfs`) is what dpkg would have unpacked, its database
included, and no maintainer script has run. This runs them in dpkg's order:
every preinst as for a first installation, and then dpkg's own configuration of
everything. dpkg then checks its records and every file against the packages'
own checksums: a file that a diversion should have moved would show here.
"""

from __future__ import annotations

from builder.errors import LockError
from builder.render.instructions import Mount, Run
from builder.render.shell import Command, Verbatim

__all__ = ["configure_base"]

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

# Logs and caches hold times; the backups are of states that nobody will go back to.
_CLEAN: tuple[Command, ...] = (
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
    return Run(commands=(*before, *_CONFIGURE, *_CLEAN), mounts=mounts)

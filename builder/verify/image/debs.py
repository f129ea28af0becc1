"""OS packages of an image: found in dpkg's database, explained by locked packages. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from builder.model import ImageFiles, LockedMembers
from builder.verify.image.claim import FileClaim, Ground

__all__ = ["DpkgLayout", "InstalledPackage", "from_deb", "from_lists", "layout", "packages"]

_ROOT = "var/lib/dpkg"
_CONFFILE = re.compile(r" /(\S+) ([0-9a-f]{32})(?: obsolete)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledPackage:
    """One installed package."""

    name: str
    version: str
    arch: str
    info: str
    """The beginning of the names of its files in dpkg's database."""
    conffiles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DpkgLayout:
    """How paths of packages become paths of the image."""

    aliases: Mapping[str, str]
    """Links at the top, such as lib to usr/lib."""
    diverted: Mapping[str, tuple[str, str]]
    """Path to the path that stands in for it, and the package for which it does not."""
    excluded: tuple[tuple[bool, str], ...] = ()
    """Patterns of what dpkg was told not to install (True) or to install after all."""

    def place(self, path: str, package: str) -> str:
        """Return where the file that a package calls `path` is."""
        other, owner = self.diverted.get(path, ("", ""))
        if other and owner != package:
            path = other
        top, slash, rest = path.partition("/")
        return f"{self.aliases[top]}/{rest}" if slash and top in self.aliases else path

    def left_out(self, path: str) -> bool:
        """Whether dpkg was told not to install `path`."""
        out = False
        for exclude, pattern in self.excluded:
            if fnmatch.fnmatchcase(f"/{path}", pattern):
                out = exclude
        return out


def packages(image: ImageFiles) -> tuple[InstalledPackage, ...]:
    """Return what dpkg's database says is installed."""
    found = []
    for paragraph in image.text(f"{_ROOT}/status").split("\n\n"):
        fields: dict[str, str] = {}
        key = ""
        for line in paragraph.splitlines():
            if line[:1].isspace():
                fields[key] = f"{fields.get(key, '')}\n{line}"
            else:
                key, _, value = line.partition(":")
                fields[key] = value.strip()
        if fields.get("Package") and fields.get("Status", "").split()[-1:] != ["not-installed"]:
            found.append(_installed_package(fields, image))
    return tuple(found)


def _installed_package(fields: Mapping[str, str], image: ImageFiles) -> InstalledPackage:
    name, arch = fields["Package"], fields.get("Architecture", "")
    own = f"{_ROOT}/info/{name}:{arch}"
    return InstalledPackage(
        name=name,
        version=fields.get("Version", ""),
        arch=arch,
        info=own if f"{own}.list" in image.files else f"{_ROOT}/info/{name}",
        conffiles=dict(_CONFFILE.findall(fields.get("Conffiles", ""))),
    )


def layout(image: ImageFiles) -> DpkgLayout:
    """Return how packages are laid out in this image."""
    aliases = {
        path: fact.target.removeprefix("/").rstrip("/")
        for path, fact in image.files.items()
        if "/" not in path and fact.kind == "symlink"
    }
    lines = image.text(f"{_ROOT}/diversions").splitlines()
    diverted = {
        lines[at].removeprefix("/"): (lines[at + 1].removeprefix("/"), lines[at + 2])
        for at in range(0, len(lines) - 2, 3)
    }
    rules = []
    for path in sorted(path for path in image.contents if path.startswith("etc/dpkg/dpkg.cfg.d/")):
        for line in image.text(path).splitlines():
            word, _, pattern = line.strip().partition("=")
            if word in {"path-exclude", "path-include"}:
                rules.append((word == "path-exclude", pattern.strip()))
    return DpkgLayout(aliases=aliases, diverted=diverted, excluded=tuple(rules))


def from_deb(package: InstalledPackage, deb: LockedMembers, where: DpkgLayout) -> Iterator[FileClaim]:
    """Yield what dpkg installs from a package whose bytes are the locked ones."""
    for member, sha256 in deb.members.items():
        path = where.place(member, package.name)
        if sha256.startswith("-> "):
            yield FileClaim(path=path, ground=Ground.BYTES, target=sha256[3:])
        else:
            yield FileClaim(path=path, ground=Ground.BYTES, sha256=sha256, mode=deb.modes[member])
    for name, stated in deb.texts.items():
        yield FileClaim(path=f"{package.info}.{name}", ground=Ground.BYTES, sha256=stated.decode())
    yield FileClaim(path=f"{package.info}.list", ground=Ground.RULE)


def from_lists(package: InstalledPackage, image: ImageFiles, where: DpkgLayout) -> Iterator[FileClaim]:
    """Yield what the lists in the image say; a list names folders too, which need no explanation."""
    sums = dict(package.conffiles)
    for line in image.text(f"{package.info}.md5sums").splitlines():
        md5, _, path = line.partition("  ")
        sums[path.strip()] = md5
    for line in image.text(f"{package.info}.list").splitlines():
        path = line.removeprefix("/")
        if path and path != ".":
            yield FileClaim(path=where.place(path, package.name), ground=Ground.LIST, md5=sums.get(path, ""))
    for path in image.files:
        if path.startswith(f"{package.info}."):
            yield FileClaim(path=path, ground=Ground.LIST)

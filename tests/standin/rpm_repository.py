"""Small RPM repositories as bytes: primary, filelists, repomd.xml and its signature."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from pysequoia import SignatureMode, Tsk, sign

COMMON, RPM = "http://linux.duke.edu/metadata/common", "http://linux.duke.edu/metadata/rpm"
LISTS, REPO = "http://linux.duke.edu/metadata/filelists", "http://linux.duke.edu/metadata/repo"
STAMP = 1_789_000_000  # 2026-09-10T00:26:40Z
OPERATORS = {"=": "EQ", "<": "LT", ">": "GT", "<=": "LE", ">=": "GE"}
PRIMARY = re.compile(r"/etc/.*|.*bin/.*|/usr/lib/sendmail")


@dataclass(frozen=True, kw_only=True)
class Rpm:
    """One package; dependencies are written as in a spec file."""

    name: str
    version: str = "1.0-1"
    arch: str = "x86_64"
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    obsoletes: tuple[str, ...] = ()
    recommends: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    location: str = ""

    @property
    def bare(self) -> str:
        return self.version.rpartition(":")[2]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(f"{self.name}{self.version}{self.arch}".encode()).hexdigest()

    @property
    def path(self) -> str:
        return self.location or f"Packages/{self.name}-{self.bare}.{self.arch}.rpm"


def evr(version: str) -> str:
    epoch, _, bare = version.rpartition(":")
    version, _, release = bare.partition("-")
    rel = f' rel="{release}"' if release else ""
    return f'epoch="{epoch or 0}" ver="{version}"{rel}'


def entry(dependency: str) -> str:
    if dependency.startswith("("):
        return f"<rpm:entry name={quoteattr(dependency)}/>"
    name, _, rest = dependency.partition(" ")
    operator, _, version = rest.partition(" ")
    flags = f' flags="{OPERATORS[operator]}" {evr(version)}' if operator else ""
    return f"<rpm:entry name={quoteattr(name)}{flags}/>"


def relations(package: Rpm) -> str:
    own = (*package.provides, f"{package.name} = {package.version}")
    lists = {"provides": own} | {
        kind: getattr(package, kind) for kind in ("requires", "conflicts", "obsoletes", "recommends")
    }
    parts = [f"<rpm:{kind}>{''.join(map(entry, rows))}</rpm:{kind}>" for kind, rows in lists.items() if rows]
    files = [f"<file>{escape(path)}</file>" for path in package.files if PRIMARY.fullmatch(path)]
    return "".join(parts + files)


def primary_xml(packages: tuple[Rpm, ...]) -> str:
    rows = "".join(
        f'<package type="rpm"><name>{escape(p.name)}</name><arch>{p.arch}</arch><version {evr(p.version)}/>'
        f'<checksum type="sha256" pkgid="YES">{p.sha256}</checksum><summary>s</summary>'
        f'<time file="{STAMP}" build="{STAMP}"/><size package="10" installed="10" archive="10"/>'
        f"<location href={quoteattr(p.path)}/><format>{relations(p)}</format></package>"
        for p in packages
    )
    head = f'<metadata xmlns="{COMMON}" xmlns:rpm="{RPM}" packages="{len(packages)}">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{rows}</metadata>\n'


def filelists_xml(packages: tuple[Rpm, ...]) -> str:
    rows = "".join(
        f'<package pkgid="{p.sha256}" name={quoteattr(p.name)} arch="{p.arch}"><version {evr(p.version)}/>'
        + "".join(f"<file>{escape(path)}</file>" for path in p.files)
        + "</package>"
        for p in packages
    )
    head = f'<filelists xmlns="{LISTS}" packages="{len(packages)}">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{rows}</filelists>\n'


def repomd_row(kind: str, text: bytes, packed: bytes) -> str:
    sha256, open_sha256 = (hashlib.sha256(data).hexdigest() for data in (packed, text))
    return (
        f'<data type="{kind}"><checksum type="sha256">{sha256}</checksum>'
        f'<open-checksum type="sha256">{open_sha256}</open-checksum>'
        f'<location href="repodata/{sha256}-{kind}.xml.gz"/><timestamp>{STAMP}</timestamp>'
        f"<size>{len(packed)}</size><open-size>{len(text)}</open-size></data>"
    )


@dataclass(kw_only=True)
class TinyRepo:
    """A repository whose texts may be changed before it is signed, and its files afterwards."""

    packages: tuple[Rpm, ...] = ()
    key: Tsk = field(default_factory=lambda: Tsk.generate("Repository <r@example.invalid>"))
    change: Callable[[str, str], str] = lambda _kind, text: text
    """Called with `primary`, `filelists` or `repomd` and the text that would be published."""

    @property
    def certificate(self) -> bytes:
        return bytes(self.key.extract_certificate())

    def sign(self, data: bytes) -> bytes:
        return bytes(sign(self.key.signer(), data, mode=SignatureMode.DETACHED))

    def publish(self) -> dict[str, bytes]:
        """Return the files below the repository's folder."""
        files, rows = {}, ""
        for kind, make in (("primary", primary_xml), ("filelists", filelists_xml)):
            text = self.change(kind, make(self.packages)).encode()
            packed = gzip.compress(text, mtime=0)
            rows += repomd_row(kind, text, packed)
            files[f"repodata/{hashlib.sha256(packed).hexdigest()}-{kind}.xml.gz"] = packed
        whole = f'<repomd xmlns="{REPO}"><revision>{STAMP}</revision>{rows}</repomd>'
        repomd = self.change("repomd", f'<?xml version="1.0" encoding="UTF-8"?>\n{whole}\n').encode()
        return files | {"repodata/repomd.xml": repomd, "repodata/repomd.xml.asc": self.sign(repomd)}

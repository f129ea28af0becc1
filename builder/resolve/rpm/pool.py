"""A base image's packages and those of several repositories in one libsolv pool.

Where several packages would do, libsolv's answer can depend on the order in
which it learned of them: the base comes first, then the repositories by
priority, as dnf reads them. A pool is not thread-safe: whoever solves holds
`RpmPool.mutex`.
"""

from __future__ import annotations

import re
import tempfile
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from builder.errors import FetchError
from builder.resolve.rpm.inventory import InstalledRpm, provide_files, relate, reserve
from builder.resolve.rpm.libsolv import solv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from builder.model import Arch

__all__ = ["DEFAULT_PRIORITY", "RepositorySource", "RpmPool"]

DEFAULT_PRIORITY = 99
"""That of a repository which states none, and of what is installed."""

_IN_PRIMARY = re.compile(r"/etc/.*|.*bin/.*|/usr/lib/sendmail")
"""Files that every primary lists; all others are in filelists only."""

_MODULAR = re.compile(r"\.module[_+]")
"""A release that was built for a module stream: no stream is enabled, so dnf does not see it either."""

_POOL_FLAGS = (
    solv.Pool.POOL_FLAG_IMPLICITOBSOLETEUSESCOLORS,
    solv.Pool.POOL_FLAG_WHATPROVIDESWITHDISABLED,
)
"""Those that dnf sets."""

_WORD = re.compile(r"[^\s()]+(?:\([^\s()]*\))*")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositorySource:
    """One repository: its metadata as XML, and how it ranks (a lower priority number wins, as for dnf)."""

    label: str
    primary: bytes
    filelists: Callable[[], bytes]
    """Asked for only when something depends on a file that primary does not list."""
    priority: int = DEFAULT_PRIORITY


@dataclass(slots=True, kw_only=True)
class RpmPool:
    """What is installed, and all packages of some repositories that fit one architecture."""

    arch: Arch
    pool: solv.Pool
    base: tuple[InstalledRpm, ...]
    labels: Mapping[int, str]
    sources: tuple[tuple[RepositorySource, solv.Repo], ...]
    mutex: threading.Lock = field(default_factory=threading.Lock)
    disabled: list[int] = field(default_factory=list)
    _complete: bool = False

    @classmethod
    def of(cls, arch: Arch, inventory: Iterable[str], sources: Iterable[RepositorySource]) -> RpmPool:
        """Read the primary metadata of `sources`; `inventory` has lines `name=version`.

        FetchError where the metadata cannot be read, RecipeError for a name twice.
        """
        pool = solv.Pool()
        pool.setdisttype(solv.Pool.DISTTYPE_RPM)
        pool.setarch(arch.rpm)
        for flag in _POOL_FLAGS:
            pool.set_flag(flag, 1)
        pool.installed = pool.add_repo("base")
        pool.installed.priority = -DEFAULT_PRIORITY
        base = reserve(pool.installed, inventory, arch.rpm)
        pairs = []
        for source in sorted(sources, key=lambda source: source.priority):
            repo = pool.add_repo(source.label)
            repo.priority = -source.priority
            _read_metadata(repo, source.primary, f"{source.label} primary", None, 0)
            pairs.append((source, repo))
        rpm_pool = cls(
            arch=arch,
            pool=pool,
            base=base,
            labels={repo.id: source.label for source, repo in pairs},
            sources=tuple(pairs),
        )
        rpm_pool._add_base_relations()
        return rpm_pool

    def _add_base_relations(self) -> None:
        """Find out which packages are not candidates, and what the base packages relate to."""
        candidates = [package for _, repo in self.sources for package in repo.solvables]
        self.disabled = [package.id for package in candidates if self.left_out(package)]
        self.refresh()
        relate(self.pool, self.base, self.named)
        self.refresh()

    def refresh(self) -> None:
        """Tell libsolv that packages or their files came or went."""
        self.pool.set_disabled_list([])  # its map does not grow: a new one covers new packages
        self.pool.set_disabled_list(self.disabled)
        self.pool.addfileprovides()
        self.pool.createwhatprovides()

    def left_out(self, package: solv.XSolvable) -> bool:
        """Say whether a package is never a candidate: sources, modules, and other architectures."""
        foreign = package.arch not in {self.arch.rpm, "noarch"}
        return foreign or _MODULAR.search(package.evr) is not None

    def named(self, name: str) -> list[solv.XSolvable]:
        """Return the candidates of one name, newest first."""
        return self._candidates_by_version(self.pool.select(name, solv.Selection.SELECTION_NAME).solvables())

    def providing(self, capability: str) -> list[solv.XSolvable]:
        """Return the candidates that provide a capability such as `pkgconfig(zlib)`, newest first."""
        found = self.pool.str2id(capability, False)
        return self._candidates_by_version(self.pool.whatprovides(found)) if found else []

    def complete(self) -> None:
        """Read the file lists, once; FetchError where they are no such XML."""
        if self._complete:
            return
        for source, repo in self.sources:
            flags = solv.Repo.REPO_EXTEND_SOLVABLES
            _read_metadata(repo, source.filelists(), f"{source.label} filelists", "FL", flags)
        self._complete = True
        self.refresh()
        provide_files(self.base)
        self.refresh()

    def needs_files(self, start: Iterable[solv.XSolvable]) -> bool:
        """Say whether anything that can be reached from `start` depends on a file outside primary."""
        if self._complete:
            return False
        seen: set[int] = set()
        asked: set[str] = set()
        waiting = list(start)
        while waiting:
            package = waiting.pop()
            if package.id in seen:
                continue
            seen.add(package.id)
            for word in _related_names(package):
                if word in asked:
                    continue
                asked.add(word)
                if word.startswith("/") and not _IN_PRIMARY.fullmatch(word):
                    return True
                found = self.pool.str2id(word, False)
                waiting.extend(self.pool.whatprovides(found) if found else ())
        return False

    def _candidates_by_version(self, found: Iterable[solv.XSolvable]) -> list[solv.XSolvable]:
        usable = [s for s in found if s.repo.id in self.labels and not self.left_out(s)]
        usable.sort(key=lambda s: (s.name, s.id))
        return _by_version(usable)


def _related_names(package: solv.XSolvable) -> Iterator[str]:
    """Yield every name and file that a package requires or excludes."""
    for kind in (solv.SOLVABLE_REQUIRES, solv.SOLVABLE_CONFLICTS):
        for dependency in package.lookup_deparray(kind, 0):
            yield from _WORD.findall(str(dependency))


def _by_version(packages: list[solv.XSolvable]) -> list[solv.XSolvable]:
    """Sort newest first by rpm's own order; equal versions keep their order."""
    done: list[solv.XSolvable] = []
    for package in packages:
        place = next((i for i, other in enumerate(done) if package.evrcmp(other) > 0), len(done))
        done.insert(place, package)
    return done


_OTHER_ENCODING = re.compile(rb"\s*<\?xml[^>]{0,200}encoding\s*=\s*[\"'](?!utf-?8[\"'])", re.IGNORECASE)


def _check_encoding(text: bytes, place: str) -> None:
    """Raise FetchError for bytes that are no UTF-8: libsolv 0.7 dies of what libxml2 cannot decode."""
    cause = ""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        cause = f"byte {error.start} is not UTF-8"
    if b"\0" in text[:1024]:
        cause = "it has NUL bytes: it is not UTF-8"
    elif _OTHER_ENCODING.match(text):
        cause = "it declares another encoding than UTF-8"
    if cause:
        raise FetchError(
            f"the metadata cannot be read: {cause}",
            place=place,
            hint="the repository is damaged: refresh its pin with `python -m builder pin repositories`",
        )


def _read_metadata(repo: solv.Repo, text: bytes, place: str, language: str | None, flags: int) -> None:
    _check_encoding(text, place)
    with tempfile.TemporaryFile() as file:
        file.write(text)
        file.flush()
        file.seek(0)
        stream = solv.xfopen_fd("index.xml", file.fileno())
        try:
            good = repo.add_rpmmd(stream, language, flags)
        finally:
            stream.close()
    if not good:
        raise FetchError(
            f"the metadata cannot be read: {' '.join(repo.pool.errstr.split())}",
            place=place,
            hint="the repository is damaged: refresh its pin with `python -m builder pin repositories`",
        )
